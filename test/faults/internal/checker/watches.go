package checker

import (
	"slices"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// The rules of what one watch tells of one cluster.
const (
	RuleLegal  = "a cluster's health is one that there can be"
	RuleStale  = "nothing healthy is older than 35 s"
	RuleBlind  = "what is known is not forgotten, and nobody is suspected, unless the observer is blind"
	RuleTruth  = "a probe finds what is wrong, and nothing where nothing is"
	RuleSpread = "a cluster without a fault is healthy all the time"
)

// hurry is how much longer than a probe says that it took it may have taken.
const hurry = 250 * time.Millisecond

// sights judges each message about a cluster's health by itself.
func (j *judge) sights() {
	for _, w := range j.history.Watches {
		for _, s := range w.Seen {
			if h := s.Event.GetChanged(); h != nil {
				j.sight(w.Watcher, s.At, h)
			}
		}
	}
	for _, l := range append(slices.Clone(j.history.Lists), List{j.end(), j.history.Final}) {
		for _, h := range l.Clusters {
			j.sight("a list", l.At, h)
		}
	}
}

// sight judges one of them. A run begins when all clusters are known, and the aggregator lives all the time: to be unknown, or
// known from an earlier life, is to be forgotten.
func (j *judge) sight(who string, at time.Duration, h *fleetv1.ClusterHealth) {
	name, state := h.GetCluster(), h.GetState()
	blind := j.schedule.InBlind(schedule.Window{From: at, To: at})
	switch {
	case state < fleetv1.Verdict_STATE_HEALTHY || state > fleetv1.Verdict_STATE_UNKNOWN,
		state != fleetv1.Verdict_STATE_UNKNOWN && h.GetKnownState() != state,
		h.GetObservation() != nil && !fits(h.GetObservation().GetVerdict()),
		h.GetObservation() == nil && state != fleetv1.Verdict_STATE_UNKNOWN, h.GetRestored():
		j.violate(RuleLegal, at, "%s was told of %s: %v", who, name, h)
	case state == fleetv1.Verdict_STATE_UNKNOWN && !blind, h.GetObserverSuspect() && !blind:
		j.violate(RuleBlind, at, "%s was told of %s: %s, suspect %t", who, name, state, h.GetObserverSuspect())
	case state == fleetv1.Verdict_STATE_HEALTHY && h.GetObservation().GetAge().AsDuration() > freshness+busy:
		j.violate(RuleStale, at, "%s was told of %s: healthy %s ago", who, name, h.GetObservation().GetAge().AsDuration())
	}
	j.observation(who, at, name, h.GetObservation())
}

// observation judges what a probe has found by what was wrong with its cluster while it ran.
func (j *judge) observation(who string, at time.Duration, name string, o *fleetv1.Observation) {
	v := o.GetVerdict()
	if v == nil || v.GetBlame() == fleetv1.Verdict_BLAME_OBSERVER {
		return // it says nothing of the cluster; a call that may not end so is judged as a call
	}
	ended := j.history.Wall(o.GetObservedAt().AsTime())
	span := schedule.Window{From: ended - v.GetDuration().AsDuration() - hurry, To: ended}
	if j.schedule.InBlind(span) || timedOut(v) && j.starved(span) {
		return
	}
	place, met := j.schedule.Place(name, span)
	if place == schedule.Free {
		if v.GetState() != fleetv1.Verdict_STATE_HEALTHY {
			j.violate(RuleTruth, at, "%s was told of %s, with which nothing was wrong: %s", who, name, brief(v))
		}
		return
	}
	findings := expected(met, v.GetDepth())
	if place == schedule.OnEdge {
		findings = append(findings, atEdges()...)
	}
	if !among(v, findings) {
		j.violate(RuleTruth, at, "%s was told of %s, which had %s: %s", who, name, met[0].Name, brief(v))
	}
}

// starvation is how long a probe must have waited for a processor, and share which part of its time, before nothing can be
// made of it that it timed out: that is then of our machine.
const (
	starvation = 500 * time.Millisecond
	share      = 10
)

func timedOut(v *fleetv1.Verdict) bool {
	return v.GetReason() == fleetv1.Verdict_REASON_RESPONSE_TIMEOUT || v.GetReason() == fleetv1.Verdict_REASON_CONNECT_TIMEOUT
}

// confirmation is the time in which the probes lie that confirm a change.
const confirmation = 20 * time.Second

// hopeless reports whether the machine let the run wait for most of the time in which a change was confirmed: all probes of
// a cluster may have timed out then.
func (j *judge) hopeless(at time.Duration) bool {
	return j.history.Stalled(schedule.Window{From: at - confirmation, To: at}) > confirmation/2
}

// starved reports whether the machine let the run wait for too much of a span.
func (j *judge) starved(span schedule.Window) bool {
	return j.history.Stalled(span) > max(starvation, (span.To-span.From)/share)
}

// expected returns what probes of that depth may find where these faults are.
func expected(met []*schedule.Episode, depth fleetv1.Verdict_Depth) (findings []schedule.Finding) {
	for _, e := range met {
		if depth == fleetv1.Verdict_DEPTH_FULL {
			findings = append(findings, e.Want.Fulls()...)
		} else {
			findings = append(findings, e.Want.Found...)
		}
	}
	return findings
}

// atEdges are what a probe may find beside the fault when that begins or ends while it runs: nothing, or a connection that
// was cut as by a server that is started anew.
func atEdges() []schedule.Finding {
	return []schedule.Finding{schedule.Fine(), {
		State:  fleetv1.Verdict_STATE_UNREACHABLE,
		Reason: fleetv1.Verdict_REASON_CONNECTION_RESET,
		Blame:  fleetv1.Verdict_BLAME_NETWORK,
	}}
}

// spread checks that no watcher ever sees a cluster without a fault as anything but healthy.
func (j *judge) spread() {
	faultless := map[string]bool{}
	for _, name := range j.schedule.Faultless() {
		faultless[name] = true
	}
	for _, w := range j.history.Watches {
		for _, s := range w.Seen {
			h := s.Event.GetChanged()
			if h == nil || !faultless[h.GetCluster()] || j.schedule.InBlind(schedule.Window{From: s.At, To: s.At}) {
				continue
			}
			if h.GetState() != fleetv1.Verdict_STATE_HEALTHY && !j.hopeless(s.At) {
				j.violate(RuleSpread, s.At, "%s was told of %s: %s", w.Watcher, h.GetCluster(), brief(h.GetObservation().GetVerdict()))
			}
		}
	}
}
