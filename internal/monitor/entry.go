package monitor

import (
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// entry is one cluster that is watched. The monitor's lock guards it.
type entry struct {
	subject *health.Subject
	// definition tells whether a cluster of that name is still the same one.
	definition cluster.Definition

	status health.Status
	record *health.Record
	window health.Window
	uptime health.Uptime
	// restored is the last known state before the process ended, told the last one that a transition told, and restoredSince
	// since when; both states are Unknown once the cluster's state is known again.
	restored, told cluster.State
	restoredSince  time.Time
	incident       string

	// due is when the next probe should begin, nextFull when the next full one.
	due, nextFull time.Time
	// paced says that the cluster has been given its place among the others in time.
	paced bool
	// informed says that a full probe has found the cluster healthy since it was last down.
	informed bool
	index    int // in the schedule, -1 while it is not there
	slot     slot
	begun    time.Time // the first probe that has a slot
	// accounted is the time up to which availability is known, saved that of the last snapshot.
	accounted, saved time.Time
	gone             bool
}

// failing reports whether the cluster was not found healthy last time. One that was never probed is not failing.
func (e *entry) failing() bool {
	return e.record.Verdict != nil && !e.record.Restored && e.record.Verdict.State != cluster.Healthy
}

// unprobed reports whether no probe has found anything since the process began.
func (e *entry) unprobed() bool { return e.record.Verdict == nil || e.record.Restored }

// failedBefore reports whether the cluster was not healthy when it was last known, before the process began.
func (e *entry) failedBefore() bool {
	return e.restored != cluster.Unknown && e.restored != cluster.Healthy
}

// thorough reports whether only a full probe can tell whether the cluster is healthy again: it is ready, and yet something
// is wrong that a quick probe does not look at.
func (e *entry) thorough() bool {
	return e.failing() && slices.ContainsFunc(e.record.Verdict.Checks, func(c cluster.Check) bool {
		return c.Kind == cluster.CheckReady && c.Outcome == cluster.Passed
	})
}

// watchable reports whether there is anything to probe.
func (e *entry) watchable() bool { return !e.subject.Virtual }

// account adds the time since the last call to the availability: as the state was, as far as it was known.
func (e *entry) account(now time.Time, stale time.Duration) {
	from, known := e.accounted, e.status.LastProbe.Add(stale)
	e.accounted = now
	shown := e.status.Shown()
	if from.IsZero() || shown == cluster.Unknown || e.subject.Maintenance || !from.Before(known) {
		return
	}
	if known.Before(now) {
		now = known
	}
	e.uptime.Add(from, now, shown == cluster.Healthy)
}

// resolve returns the change as it is since the process before ended: nil if nothing has changed.
func (e *entry) resolve(change *health.Change) *health.Change {
	if change == nil || e.restored == cluster.Unknown || change.To == cluster.Unknown {
		return change
	}
	told, since := e.told, e.restoredSince
	e.restored, e.told = cluster.Unknown, cluster.Unknown
	if change.From != cluster.Unknown || told == cluster.Unknown {
		return change
	}
	if told == change.To {
		e.status.Since = since
		return nil
	}
	since, resolved := since.Round(0), *change
	resolved.From, resolved.Lasted = told, 0
	if !since.IsZero() {
		resolved.Lasted = max(0, change.At.Round(0).Sub(since))
	}
	return &resolved
}

// snapshot is what of the cluster outlives the process.
func (e *entry) snapshot() health.Snapshot {
	r := e.record
	uptime, err := e.uptime.MarshalBinary()
	if err != nil {
		uptime = nil // it is better to lose the availability than the state
	}
	s := health.Snapshot{
		Cluster: r.Subject.Name, State: r.State, Known: r.Known, Since: r.Since, At: r.At, LastSuccess: r.LastSuccess,
		Verdict: r.Verdict, Expiries: r.Expiries, Uptime: uptime,
	}
	switch {
	case e.status.Suspect:
		s.State = e.status.State // that it is not shown was not told as a transition
	case e.restored != cluster.Unknown:
		s.State = e.told
	}
	return s
}

// rebuild makes the record that follows from the entry, with the verdict and expiries of the one before.
func (e *entry) rebuild(now time.Time) *health.Record {
	next := *e.record
	next.Subject = e.subject
	next.State, next.Known = e.status.Shown(), e.known()
	next.Since = e.status.Since
	next.Suspect = e.status.Suspect
	next.Flapping = e.status.Flapping(now)
	next.Incident = e.incident
	if e.restored != cluster.Unknown && next.Since.IsZero() {
		next.Since = e.record.Since
	}
	return &next
}

// known is the last known state.
func (e *entry) known() cluster.State {
	if shown := e.status.Shown(); shown != cluster.Unknown {
		return shown
	}
	if e.status.Suspect && e.status.State != cluster.Unknown {
		return e.status.State
	}
	if e.status.Known != cluster.Unknown {
		return e.status.Known
	}
	return e.restored
}
