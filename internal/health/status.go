package health

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Status is where the state machine of one cluster stands. It is immutable: [Rules] make a new one of it. The zero value
// is a cluster that has never been probed.
type Status struct {
	// State is the confirmed state. Known is the last one that was known where State is Unknown, else the same.
	State, Known cluster.State
	// Since is when State began, zero where the cluster has never been in another.
	Since time.Time
	// LastProbe is when the last conclusive probe ended, LastSuccess when the last did that found the cluster healthy.
	LastProbe, LastSuccess time.Time
	// Suspect says that State is not to be shown: the cluster failed while the observer was suspect, and has neither been
	// reached nor confirmed as failing since.
	Suspect bool

	run run
	// flips are the last changes from one known state to another, at most [Rules.Flips] of them. flapping is until when
	// they make the cluster flap.
	flips    []time.Time
	flapping time.Time
}

// run is what observations in a row say against the confirmed state: all that it is healthy, or all that it is not.
type run struct {
	count int
	// first is when the first of them ended, last what the latest found.
	first time.Time
	last  cluster.State
	// rejected is how many of the latest in a row found the cluster unauthorized.
	rejected int
	// cut is since when they all have failed at network level, zero if the latest did not.
	cut time.Time
	// cleared is since when it is known that others were reached after cut, zero if it is not. began is when the latest
	// probe began.
	cleared, began time.Time
	// ours says that the observer was suspect meanwhile.
	ours bool
}

// Shown is the state to show: the confirmed one, or Unknown while the observer is to be doubted.
func (s Status) Shown() cluster.State {
	if s.Suspect {
		return cluster.Unknown
	}
	return s.State
}

// Flapping reports whether the state has changed too often lately.
func (s Status) Flapping(now time.Time) bool { return now.Before(s.flapping) }

// FailingSince returns since when every probe has failed at network level, against the confirmed state; false if that is
// not so.
func (s Status) FailingSince() (time.Time, bool) { return s.run.cut, s.run.network() }

// Cleared reports whether it is known that others were reached after the cluster began to fail at network level.
func (s Status) Cleared() bool { return !s.run.cleared.IsZero() }

// count adds an observation. One that equals the confirmed state ends the run against it.
func (s Status) count(o Observation) Status {
	s.LastProbe = o.At
	if o.State == cluster.Healthy {
		s.LastSuccess = o.At
	}
	if !o.Network || o.State == s.State {
		s.Suspect = false
	}
	if o.State == s.State {
		s.run = run{}
		return s
	}
	s.run = s.run.with(o)
	return s
}

// with adds an observation to the run, or begins another with it. What failed while the observer was suspect does not
// count beside what was found by reaching the cluster.
func (n run) with(o Observation) run {
	turned := (n.last == cluster.Healthy) != (o.State == cluster.Healthy)
	if n.count == 0 || turned || n.ours && !o.Network {
		n = run{first: o.At}
	}
	switch {
	case !o.Network:
		n.cut, n.cleared = time.Time{}, time.Time{}
	case !n.network():
		n.cut = o.At
	}
	n.rejected++
	if o.State != cluster.Unauthorized {
		n.rejected = 0
	}
	n.count++
	n.last = o.State
	n.began = o.At.Add(-o.Took)
	return n
}

// network reports whether the latest observation failed at network level.
func (n run) network() bool { return !n.cut.IsZero() }

// lose makes the state unknown and forgets what was said against it.
func (s Status) lose() Status {
	s.State = cluster.Unknown
	s.Suspect = false
	s.run = run{}
	return s
}

// become makes what the run says the confirmed state.
func (s Status) become() Status {
	s.State, s.Known = s.run.last, s.run.last
	s.Suspect = false
	s.run = run{}
	return s
}

// exonerate remembers when it became known that the observer reached others after the failures began.
func (s Status) exonerate(now time.Time, j Judgement) Status {
	n := &s.run
	if n.network() && n.cleared.IsZero() && !n.cut.After(j.Clear) {
		n.cleared = now
	}
	return s
}

// suspect hides the state of a cluster that fails at network level.
func (s Status) suspect() Status {
	if s.run.network() {
		s.Suspect = true
		s.run.ours = true
	}
	return s
}
