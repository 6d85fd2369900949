package health

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Guard decides when it is the observer who is cut off, rather than the clusters it observes.
type Guard struct {
	// Fewest and Percent are how many of the healthy clusters, at least, and which part of them have to fail at network
	// level within Window to make the observer suspect. Percent is from 1 to 100.
	Fewest, Percent int
	Window          time.Duration
}

// DefaultGuard is that of the design.
func DefaultGuard() Guard {
	return Guard{Fewest: 3, Percent: 55, Window: time.Minute}
}

// At returns the guard for another pace of probes: those that fail together are found out within an interval.
func (g Guard) At(interval time.Duration) Guard {
	g.Window = max(g.Window, 2*interval)
	return g
}

// View is what the guard looks at in one cluster.
type View struct {
	// FailingSince is when the cluster began to fail at network level, zero if it does not.
	FailingSince time.Time
	LastSuccess  time.Time
}

// View returns how the guard sees a cluster, and whether it counts: those do that were healthy when last known. One of
// which nothing is heard any more stays in: its silence is ours, and no sign that we reach anybody. Clusters that are
// virtual or in maintenance do not count, which is for the caller to know.
func (s Status) View() (v View, counts bool) {
	if s.Known != cluster.Healthy {
		return View{}, false
	}
	v.LastSuccess = s.LastSuccess
	v.FailingSince, _ = s.FailingSince()
	return v, true
}

// Judgement is what the guard thinks of the observer.
type Judgement struct {
	// Suspect says that the observer seems to be cut off. No failure at network level is believed then.
	Suspect bool
	// Clear is the end of the time of which it is certain that the observer was not cut off, because enough clusters have
	// been reached since. What began to fail at network level by then fails on its own; what began later may have to wait.
	Clear time.Time
}

// Judge judges by the clusters that count. The order of base is not kept.
//
// The observer becomes suspect when many begin to fail within a short time, and stops being so when fewer fail, however
// long that takes. Fewer than Fewest clusters prove nothing.
func (g Guard) Judge(before Judgement, now time.Time, base []View) Judgement {
	if len(base) < max(1, g.Fewest) {
		return Judgement{Clear: now}
	}
	failing := 0
	for i := range base {
		if g.failing(&base[i], before, now) {
			failing++
		}
	}
	// As many as may fail without making the observer suspect; the others, were they reached, clear it.
	tolerated := max(g.Fewest-1, (g.Percent*len(base)-1)/100)
	return Judgement{
		Suspect: failing > tolerated,
		Clear:   nthLatest(base, len(base)-tolerated, now),
	}
}

func (g Guard) failing(v *View, before Judgement, now time.Time) bool {
	if v.FailingSince.IsZero() || v.LastSuccess.After(v.FailingSince) {
		return false
	}
	return before.Suspect || now.Sub(v.FailingSince) <= g.Window
}

// nthLatest returns the n-th latest success, n from 1. It sorts only as much of base as it must: a fleet is judged every
// second. Ages are compared rather than times, because restored times have no monotonic reading.
func nthLatest(base []View, n int, now time.Time) time.Time {
	for len(base) > 1 {
		younger, same := partition(base, now)
		switch {
		case n <= younger:
			base = base[:younger]
		case n <= younger+same:
			return base[younger].LastSuccess
		default:
			base = base[younger+same:]
			n -= younger + same
		}
	}
	return base[0].LastSuccess
}

// partition puts those whose success is younger than the middle one's first and the older ones last. It returns how many
// are younger and how many as old.
func partition(base []View, now time.Time) (younger, same int) {
	pivot := now.Sub(base[len(base)/2].LastSuccess)
	older := len(base)
	for i := 0; i < older; {
		switch age := now.Sub(base[i].LastSuccess); {
		case age < pivot:
			base[younger], base[i] = base[i], base[younger]
			younger++
			i++
		case age > pivot:
			older--
			base[older], base[i] = base[i], base[older]
		default:
			i++
		}
	}
	return younger, older - younger
}
