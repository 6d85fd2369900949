package schedule

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// Schedule is what happens to a fleet during a run.
type Schedule struct {
	// Seed is what the schedule was generated from; 0 where it was written by hand.
	Seed uint64
	// Clusters are all clusters of the fleet, in order.
	Clusters []string
	// Length is how long the run lasts.
	Length time.Duration
	// Episodes are the faults. Those of one cluster do not overlap.
	Episodes []Episode
	// Blind is when the observer itself is cut off or stopped: nobody may be accused then, and every cluster may be unknown
	// until Sighted after its end.
	Blind []Window
	// Sighted is how long after a blind time clusters may still be unknown.
	Sighted time.Duration
}

// Window is a time from From to To.
type Window struct{ From, To time.Duration }

// Overlaps reports whether the two have a moment in common.
func (w Window) Overlaps(o Window) bool { return w.From <= o.To && o.From <= w.To }

// Holds reports whether all of the other is within this one.
func (w Window) Holds(o Window) bool { return w.From <= o.From && o.To <= w.To }

// Episode is one fault of one cluster.
type Episode struct {
	Cluster string
	// Name is the fault's, for people.
	Name string
	// Fault is what the simulator shows. Its zero value is a fault that the test brings about by other means, such as one of
	// the network.
	Fault simulator.Fault
	// Period makes the fault come and go: it is on for the first half of each period. 0 keeps it on.
	Period time.Duration
	// Window is when the fault is on. Edge is how long it may take to come or to go: it begins between From and From+Edge,
	// and ends between To and To+Edge.
	Window
	Edge time.Duration
	Want Want
}

// Want is what must be told of a fault.
type Want struct {
	// Found is what quick probes may find while the fault is on, any of them.
	Found []Finding
	// Full is what full probes may find; none means those of Found.
	Full []Finding
	// Read is what a read may end with while the fault is on; none means those of Full.
	Read []Finding
	// Told is what the confirmed change may say; none means those of Found.
	Told []Finding
	// Within is how long after its beginning watchers must know of the fault. 0: they need not. A fault that ends earlier
	// needs not be told either.
	Within time.Duration
	// Recovered is how long after its end watchers must know the cluster as healthy again.
	Recovered time.Duration
	// Never says that no change of state may follow from the fault: it is too short to be more than a hiccup.
	Never bool
}

// Finding is how a failure is told.
type Finding struct {
	State  fleetv1.Verdict_State
	Reason fleetv1.Verdict_Reason
	Blame  fleetv1.Verdict_Blame
	// Code is that of the status that comes with a probe's or a read's result.
	Code codes.Code
}

// Fine returns the finding of a cluster with which nothing is wrong.
func Fine() Finding { return Finding{State: fleetv1.Verdict_STATE_HEALTHY} }

// Fulls returns what full probes may find.
func (w Want) Fulls() []Finding { return either(w.Full, w.Found) }

// Reads returns what a read of the cluster may end with.
func (w Want) Reads() []Finding { return either(w.Read, w.Fulls()) }

// Changes returns what the confirmed change may say.
func (w Want) Changes() []Finding { return either(w.Told, w.Found) }

func either(own, other []Finding) []Finding {
	if len(own) > 0 {
		return own
	}
	return other
}

// Place is how a span of time stands to the faults of a cluster.
type Place int

// A span is free where no fault is on in any part of it, covered where one is on in all of it, and else on an edge, where
// it may show either.
const (
	Free Place = iota + 1
	Covered
	OnEdge
)

// Place returns how the span stands to the faults of the cluster, and the faults that overlap it.
func (s *Schedule) Place(cluster string, span Window) (Place, []*Episode) {
	var met []*Episode
	place := Free
	for i := range s.Episodes {
		e := &s.Episodes[i]
		if e.Cluster != cluster || !e.whole().Overlaps(span) {
			continue
		}
		met = append(met, e)
		place = OnEdge
		if e.Period == 0 && (Window{e.From + e.Edge, e.To}).Holds(span) {
			place = Covered
		}
	}
	return place, met
}

// whole is the time outside of which the fault is not on at all.
func (e *Episode) whole() Window { return Window{e.From, e.To + e.Edge} }

// InBlind reports whether the observer may be blind at some moment of the span.
func (s *Schedule) InBlind(span Window) bool {
	return slices.ContainsFunc(s.Blind, func(w Window) bool { return Window{w.From, w.To + s.Sighted}.Overlaps(span) })
}

// Faultless returns the clusters that have no fault in the whole run.
func (s *Schedule) Faultless() []string {
	return slices.DeleteFunc(slices.Clone(s.Clusters), func(name string) bool {
		return slices.ContainsFunc(s.Episodes, func(e Episode) bool { return e.Cluster == name })
	})
}

// Delay makes everything happen later.
func (s *Schedule) Delay(d time.Duration) {
	s.Length += d
	for i := range s.Episodes {
		s.Episodes[i].From += d
		s.Episodes[i].To += d
	}
	for i := range s.Blind {
		s.Blind[i] = Window{s.Blind[i].From + d, s.Blind[i].To + d}
	}
}
