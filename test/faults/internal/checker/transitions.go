package checker

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// The rules of the history of state changes.
const (
	RuleChain   = "each transition begins where the one before has ended"
	RuleCause   = "each transition has its cause"
	RuleHistory = "the history is what watchers saw"
)

// inFlight is how long after the end of a fault a probe may end that has met it, and the probe that confirms it.
const inFlight = 7 * time.Second

// longestMoment is how long a fault that must not be told of may have lasted, where the machine did not let it end in time.
const longestMoment = schedule.Moment + 500*time.Millisecond

// changes checks the transitions of each cluster, the oldest first.
func (j *judge) changes() {
	last := map[string]*fleetv1.Transition{}
	sequence := uint64(0)
	for _, t := range slices.Backward(j.history.Transitions) {
		at := j.history.Wall(t.GetOccurredAt().AsTime())
		before := last[t.GetCluster()]
		switch {
		case t.GetSequence() <= sequence, t.GetFrom() == t.GetTo(),
			before == nil && t.GetFrom() != fleetv1.Verdict_STATE_UNKNOWN,
			before != nil && before.GetTo() != t.GetFrom(),
			before != nil && t.GetOccurredAt().AsTime().Before(before.GetOccurredAt().AsTime()):
			j.violate(RuleChain, at, "%v comes after %v", t, before)
		}
		last[t.GetCluster()], sequence = t, t.GetSequence()
		if at >= 0 { // what came before the run has causes that the schedule does not know
			j.cause(t, at)
		}
	}
}

// cause checks that something has happened to the cluster that explains a transition.
func (j *judge) cause(t *fleetv1.Transition, at time.Duration) {
	moment := schedule.Window{From: at, To: at}
	switch t.GetTo() {
	case fleetv1.Verdict_STATE_UNKNOWN:
		if !j.schedule.InBlind(moment) {
			j.violate(RuleBlind, at, "the history has %s", change(t))
		}
		return
	case fleetv1.Verdict_STATE_HEALTHY:
		if place, met := j.schedule.Place(t.GetCluster(), moment); place == schedule.Covered && !met[0].Want.Never {
			j.violate(RuleCause, at, "the history has %s, in the middle of %s", change(t), met[0].Name)
		}
		if t.GetReason() != 0 || t.GetBlame() != 0 || t.GetMessage() != "" {
			j.violate(RuleLegal, at, "the history has %s with a reason", change(t))
		}
		return
	case fleetv1.Verdict_STATE_UNSPECIFIED, fleetv1.Verdict_STATE_DEGRADED, fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_STATE_UNAUTHORIZED:
	}
	if !slices.ContainsFunc(writings(t), func(v *fleetv1.Verdict) bool { return fits(v) && j.explains(v, t.GetCluster(), at) }) {
		j.violate(RuleCause, at, "the history has %s: %s", change(t), brief(writings(t)[0]))
	}
}

// writings are the verdicts that a transition may have been written from. The history does not keep the checks: the cluster
// may have failed at once, or have said that it is ready before it failed.
func writings(t *fleetv1.Transition) []*fleetv1.Verdict {
	atOnce := &fleetv1.Verdict{State: t.GetTo(), Reason: t.GetReason(), Blame: t.GetBlame(), Message: t.GetMessage()}
	later := proto.CloneOf(atOnce)
	later.Checks = []*fleetv1.Check{{Kind: fleetv1.Check_KIND_READY, Outcome: fleetv1.Check_OUTCOME_PASSED}}
	return []*fleetv1.Verdict{atOnce, later}
}

// explains reports whether a fault that the cluster had lately is one by which a change to this verdict comes.
func (j *judge) explains(v *fleetv1.Verdict, cluster string, at time.Duration) bool {
	_, met := j.schedule.Place(cluster, schedule.Window{From: at - inFlight, To: at})
	explained := slices.ContainsFunc(met, func(e *schedule.Episode) bool {
		return (!e.Want.Never || e.To+e.Edge-e.From > longestMoment) && among(v, e.Want.Changes())
	})
	return explained || timedOut(v) && j.hopeless(at)
}

func change(t *fleetv1.Transition) string {
	return fmt.Sprintf("%s from %s to %s", t.GetCluster(), t.GetFrom(), t.GetTo())
}

// remembered compares the history with what watchers saw. A state that a watcher saw, with the time since when it was so,
// is a transition of the history, and those of a cluster come in its order. A watcher may miss transitions, because changes
// that come faster than it reads are merged; an attentive one misses none, because those of one cluster are seconds apart.
func (j *judge) remembered() {
	history := map[string][]*fleetv1.Transition{}
	for _, t := range slices.Backward(j.history.Transitions) {
		history[t.GetCluster()] = append(history[t.GetCluster()], t)
	}
	for _, w := range j.history.Watches {
		next := map[string]int{}
		for _, s := range w.Seen {
			h := s.Event.GetChanged()
			if h == nil || h.GetSince() == nil || h.GetObserverSuspect() {
				continue
			}
			of := history[h.GetCluster()]
			found := slices.IndexFunc(of, func(t *fleetv1.Transition) bool {
				return t.GetOccurredAt().AsTime().Equal(h.GetSince().AsTime()) && t.GetTo() == h.GetState()
			})
			seen, met := next[h.GetCluster()]
			switch {
			case found < 0:
				j.violate(RuleHistory, s.At, "%s was told that %s is %s since %s, of which the history has nothing",
					w.Watcher, h.GetCluster(), h.GetState(), h.GetSince().AsTime())
				continue
			case met && found < seen:
				j.violate(RuleHistory, s.At, "%s was told of %s once more, after a later one", w.Watcher, change(of[found]))
			case met && w.Attentive && found > seen+1:
				j.violate(RuleHistory, s.At, "%s was not told of %s", w.Watcher, change(of[seen+1]))
			}
			next[h.GetCluster()] = found
		}
		for name, seen := range next {
			if w.Attentive && seen != len(history[name])-1 {
				j.violate(RuleHistory, j.end(), "%s was not told of %s, the last of it", w.Watcher, change(history[name][seen+1]))
			}
		}
	}
}
