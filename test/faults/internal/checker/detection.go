package checker

import (
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// The rules of what attentive watchers see of each fault, and when.
const (
	RuleWatched   = "somebody has watched attentively"
	RuleDetected  = "a fault is told in its time, by its reason"
	RuleRecovered = "the end of a fault is told in its time"
)

// busy is what a machine that has much else to do may add to a promise, besides the time for which it is known to have
// made the run wait.
const busy = 2 * time.Second

// by returns when something that was promised within a time must have happened.
func (j *judge) by(from, within time.Duration) time.Duration {
	promised := from + within + busy
	for due := promised; ; {
		stretched := promised + j.history.Stalled(schedule.Window{From: from, To: due})
		if stretched <= due {
			return due
		}
		due = stretched
	}
}

// told checks the time in which attentive watchers learn of each fault and of its end.
func (j *judge) told() {
	attentive := 0
	for _, w := range j.history.Watches {
		if !w.Attentive {
			continue
		}
		attentive++
		for i := range j.schedule.Episodes {
			j.detected(w, &j.schedule.Episodes[i])
			j.recovered(w, &j.schedule.Episodes[i])
		}
	}
	if attentive == 0 {
		j.violate(RuleWatched, 0, "there is no attentive watcher")
	}
}

// Judged returns how many faults watchers must know of while they are on, and of how many of them that was judged: a fault
// that the machine let end before it was due proves nothing.
func Judged(s *schedule.Schedule, h *History) (judged, of int) {
	j := &judge{schedule: s, history: h}
	for i := range s.Episodes {
		e := &s.Episodes[i]
		if !loud(e) {
			continue
		}
		of++
		if _, due := j.due(e); due {
			judged++
		}
	}
	return judged, of
}

// Told returns how many of the faults that watchers must know of while they are on were told in their time to all who are
// attentive, also of those that ended before they were due: that is proof, too.
func Told(s *schedule.Schedule, h *History) (told int) {
	j := &judge{schedule: s, history: h}
	for i := range s.Episodes {
		if e := &s.Episodes[i]; loud(e) && j.toldToAll(e) {
			told++
		}
	}
	return told
}

func (j *judge) toldToAll(e *schedule.Episode) bool {
	due, attentive := j.by(e.From+e.Edge, e.Want.Within), false
	for _, w := range j.history.Watches {
		if !w.Attentive {
			continue
		}
		if told, _ := w.told(e, min(due, e.To)); !told {
			return false
		}
		attentive = true
	}
	return attentive
}

// loud reports whether watchers must know of a fault.
func loud(e *schedule.Episode) bool { return e.Want.Within > 0 && !e.Want.Never }

// due returns when watchers must know of a fault, false where they need not.
func (j *judge) due(e *schedule.Episode) (time.Duration, bool) {
	due := j.by(e.From+e.Edge, e.Want.Within)
	return due, loud(e) && due <= e.To && !j.schedule.InBlind(schedule.Window{From: e.From, To: due})
}

func (j *judge) detected(w *Watch, e *schedule.Episode) {
	due, must := j.due(e)
	if !must {
		return
	}
	if told, last := w.told(e, due); !told {
		j.violate(RuleDetected, due, "%s was told of %s, which had %s since %.3fs: %s", w.Watcher, e.Cluster, e.Name, e.From.Seconds(), last)
	}
}

// told reports whether the watcher was told of a fault until then, by its reason; if not, what it was told last.
func (w *Watch) told(e *schedule.Episode, until time.Duration) (told bool, last string) {
	last = "nothing new"
	for _, s := range w.Seen {
		h := s.Event.GetChanged()
		if h.GetCluster() != e.Cluster || s.At < e.From || s.At > until {
			continue
		}
		last = h.GetState().String() + " by " + brief(h.GetObservation().GetVerdict())
		if h.GetState() == h.GetObservation().GetVerdict().GetState() && among(h.GetObservation().GetVerdict(), e.Want.Changes()) {
			return true, ""
		}
	}
	return false, last
}

// recovered looks at the last state that the watcher knew when the recovery was due.
func (j *judge) recovered(w *Watch, e *schedule.Episode) {
	due := j.by(e.To+e.Edge, e.Want.Recovered)
	if due > j.end() || j.schedule.InBlind(schedule.Window{From: e.From, To: due}) {
		return
	}
	if place, _ := j.schedule.Place(e.Cluster, schedule.Window{From: e.To + e.Edge + 1, To: due}); place != schedule.Free {
		return // the next fault is there already
	}
	var last *fleetv1.ClusterHealth
	for _, s := range w.Seen {
		if h := s.Event.GetChanged(); h.GetCluster() == e.Cluster && s.At <= due {
			last = h
		}
	}
	if last.GetState() != fleetv1.Verdict_STATE_HEALTHY {
		j.violate(RuleRecovered, due, "%s was told of %s, whose %s ended at %.3fs: %s", w.Watcher, e.Cluster, e.Name, e.To.Seconds(), last.GetState())
	}
}

// end is when the last attentive watcher saw something.
func (j *judge) end() (end time.Duration) {
	for _, w := range j.history.Watches {
		if n := len(w.Seen); w.Attentive && n > 0 {
			end = max(end, w.Seen[n-1].At)
		}
	}
	return end
}
