package health

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Rules are the thresholds by which the confirmed state of a cluster changes, and the pace of probes that follows. One
// failed probe is no outage and one good answer no recovery; no answer at all is not good news either.
type Rules struct {
	// Interval is the time from one probe to the next. Confirm is the same after an answer against the confirmed state.
	Interval, Confirm time.Duration
	// Failures in a row make a cluster anything but healthy, if Span lies between the ends of the first and the last.
	Failures int
	Span     time.Duration
	// Successes in a row make a cluster healthy.
	Successes int
	// Rejections in a row make a cluster unauthorized, whatever the time between them.
	Rejections int
	// Stale is how long without a conclusive probe a state is believed.
	Stale time.Duration
	// Flips within FlipWindow are flapping; 0: nothing is.
	Flips      int
	FlipWindow time.Duration
}

// DefaultRules are those of the design.
func DefaultRules() Rules {
	return Rules{
		Interval:   10 * time.Second,
		Confirm:    2 * time.Second,
		Failures:   3,
		Span:       5 * time.Second,
		Successes:  2,
		Rejections: 2,
		Stale:      35 * time.Second,
		Flips:      6,
		FlipWindow: 10 * time.Minute,
	}
}

// leastStale is what a state is believed for at any pace: a probe may take 5 s, and have waited as long for its turn.
const leastStale = 15 * time.Second

// At returns the rules for another pace of probes. The times that follow from the pace keep their proportion to it.
func (r Rules) At(interval time.Duration) Rules {
	scaled := func(d time.Duration) time.Duration {
		return time.Duration(float64(d) * float64(interval) / float64(r.Interval))
	}
	r.Stale, r.FlipWindow = max(scaled(r.Stale), leastStale), max(scaled(r.FlipWindow), r.FlipWindow)
	r.Confirm, r.Span, r.Interval = scaled(r.Confirm), scaled(r.Span), interval
	return r
}

// Observation is what one probe found.
type Observation struct {
	// State is Unknown where the probe says nothing of the cluster, because the observer itself failed.
	State cluster.State
	// Network says that the probe failed at network level: the verdict blames the network.
	Network bool
	// At is when the probe ended, Took how long that was after it began, and Waited how long it had waited for its turn by
	// then.
	At           time.Time
	Took, Waited time.Duration
}

// Change is a change of the confirmed state.
type Change struct {
	From, To cluster.State
	At       time.Time
	// Lasted is how long From had lasted, 0 where that is not known.
	Lasted time.Duration
	// Flapping says that with this change there have been too many lately.
	Flapping bool
}

// Observe returns the status after a probe, and the change that it confirms, if any. An inconclusive observation changes
// nothing, nor does one that is overtaken by a later one.
//
// After a silence of more than two intervals, the wait for a turn not counted, or a step of the clock as large, the state is
// unknown and the observation the first of a new run: the process may have been stopped for as long.
func (r Rules) Observe(s Status, o Observation, j Judgement) (Status, *Change) {
	since := o.At.Sub(s.LastProbe)
	gap := !s.LastProbe.IsZero() && (since-o.Waited > r.silence() || since < -2*r.Interval)
	if o.State == cluster.Unknown || since < 0 && !gap {
		return s, nil
	}
	next := r.heed(s, j)
	if gap {
		next = next.lose()
	}
	next = next.count(o).exonerate(o.At, j)
	if r.proved(next, j) {
		next = next.become()
	}
	return r.settle(s, next, o.At, j)
}

// silence is how long without a probe makes a state unknown. A probe that fails may take longer than short intervals.
func (r Rules) silence() time.Duration { return max(2*r.Interval, leastStale) }

// Pass returns the status after time has passed without a probe, and the change that follows from it, if any: a state
// that is stale is unknown. It is to be called after each judgement, so that what it says of a failure is heeded early.
func (r Rules) Pass(s Status, now time.Time, j Judgement) (Status, *Change) {
	next := r.heed(s, j).exonerate(now, j)
	if age := now.Sub(s.LastProbe); age >= r.Stale || age < -2*r.Interval {
		next = next.lose()
	}
	return r.settle(s, next, now, j)
}

// Pause returns the status after the process was stopped: nothing is known any more, and what was said against the state
// before is forgotten.
func (r Rules) Pause(s Status, now time.Time) (Status, *Change) {
	return r.settle(s, s.lose(), now, Judgement{})
}

// Resume returns the status when the observer is no longer suspect: what failed meanwhile was not the cluster's fault and
// is forgotten. The state is shown again when the cluster is reached. Observe and Pass resume by themselves; to call it
// for all clusters at once makes the next judgement begin afresh.
func (r Rules) Resume(s Status) Status {
	if s.run.ours {
		s.run = run{}
	}
	return s
}

// Next returns how long after the last probe the next is due, without jitter. A first failure at network level is
// confirmed at once, because a fresh connection may do what an old one did not. A cluster that refuses connections is
// found down Span after its first failure, if others have been reached by then. As long as failures are to be counted,
// Confirm lies between the beginnings of probes: a probe that has waited longer than that for an answer is followed by the
// next one at once, and so is one that had begun when it became known that others were reached: it proves nothing. Else it
// is a pause after the last: successes in a row are to lie apart, and what is withheld is not to be probed without end.
func (r Rules) Next(s Status) time.Duration {
	n := s.run
	if s.Suspect || n.count == 0 {
		return r.Interval
	}
	if n.network() && n.count == 1 {
		return 0
	}
	left := r.Span - s.LastProbe.Sub(n.first)
	if n.last != cluster.Healthy && n.count >= r.Failures-1 && left > 0 {
		return min(r.Confirm, left)
	}
	if n.cleared.After(n.began) {
		return 0
	}
	if n.last == cluster.Healthy || n.count >= r.Failures {
		return r.Confirm
	}
	return max(0, r.Confirm-s.LastProbe.Sub(n.began))
}

func (r Rules) heed(s Status, j Judgement) Status {
	if j.Suspect {
		return s
	}
	return r.Resume(s)
}

// settle hides what is to be doubted and returns the change from before.
func (r Rules) settle(before, s Status, at time.Time, j Judgement) (Status, *Change) {
	if j.Suspect {
		s = s.suspect()
	}
	if s.State == before.State {
		return s, nil
	}
	s.Since = at
	if s.State != cluster.Unknown && s.State != before.Known {
		s = r.flip(s, at)
	}
	c := &Change{From: before.State, To: s.State, At: at, Flapping: s.Flapping(at)}
	if !before.Since.IsZero() {
		c.Lasted = max(0, at.Sub(before.Since))
	}
	return s, c
}

// proved reports whether the run suffices to change the state. Failures at network level do not while they may be the
// observer's own. That others have been reached since they began does not suffice either: so they are when the observer
// is back, and then it is the next probe of this cluster that tells.
func (r Rules) proved(s Status, j Judgement) bool {
	n := s.run
	switch {
	case n.count == 0:
		return false
	case n.last == cluster.Healthy:
		return n.count >= r.Successes
	case n.rejected >= r.Rejections:
		return true
	case n.count < r.Failures || s.LastProbe.Sub(n.first) < r.Span:
		return false
	case n.network():
		return !j.Suspect && !n.cleared.IsZero() && !n.began.Before(n.cleared)
	}
	return true
}

// flip remembers a change from one known state to another. To and from Unknown is none: then it is us who do not know.
func (r Rules) flip(s Status, at time.Time) Status {
	if r.Flips < 1 {
		return s
	}
	kept := s.flips[max(0, len(s.flips)-r.Flips+1):]
	s.flips = append(append(make([]time.Time, 0, r.Flips), kept...), at)
	if len(s.flips) == r.Flips {
		s.flapping = s.flips[0].Add(r.FlipWindow)
	}
	return s
}
