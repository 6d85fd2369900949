package network_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

const (
	// starting is the time in which a fleet comes up and is found healthy, on a machine that is busy.
	starting = 90 * time.Second
	// patience is for what has no deadline of its own, on a machine that is busy.
	patience = 45 * time.Second
	// violations are how many of them a failed test shows at most.
	violations = 20
)

// run is a world under watch: what is done to its network is in the schedule, and what was told of it in the history.
type run struct {
	*world
	*product.Aggregator

	schedule *schedule.Schedule
	history  *checker.History
	watch    *watch
}

// startRun starts an aggregator, waits until all clusters are known to be healthy, and begins to watch.
func startRun(t *testing.T, w *world) *run {
	t.Helper()
	r := &run{world: w, Aggregator: programs.Aggregator(t, w.kubeconfig)}
	r.schedule = &schedule.Schedule{Clusters: slices.Sorted(maps.Keys(w.addresses))}
	start := startWatch(t, checker.NewHistory(), r.Client(t))
	start.await(t, starting, "all are healthy", func(known fleet) bool { return known.are(healthy, r.schedule.Clusters) })
	start.end()
	r.history = checker.NewHistory()
	r.watch = startWatch(t, r.history, r.Client(t), os.Getpid(), r.PID(), w.fleet.PID())
	r.awaitState(t, patience, healthy, r.schedule.Clusters)
	return r
}

// episodes are one fault of several clusters, by their places in the schedule.
type episodes []int

// begin makes a fault and notes it.
func (r *run) begin(fault schedule.Episode, clusters []string, do func()) (e episodes) {
	fault.From = r.history.Now()
	do()
	fault.Edge, fault.To = r.history.Now()-fault.From, 1<<62 // until it is ended
	for _, name := range clusters {
		fault.Cluster = name
		e = append(e, len(r.schedule.Episodes))
		r.schedule.Episodes = append(r.schedule.Episodes, fault)
	}
	return e
}

// end takes the fault away and notes it.
func (r *run) end(e episodes, do func()) {
	to := r.history.Now()
	do()
	for _, i := range e {
		of := &r.schedule.Episodes[i]
		of.To, of.Edge = to, max(of.Edge, r.history.Now()-to)
	}
}

// awaitState waits until the clusters are told to be in a state.
func (r *run) awaitState(t *testing.T, limit time.Duration, state fleetv1.Verdict_State, clusters []string) {
	t.Helper()
	r.watch.await(t, limit, "all of its clusters are "+state.String(), func(known fleet) bool { return known.are(state, clusters) })
}

// firstSight returns when it was told for the first time since then that something is so of a cluster; 0 if it was not.
func (r *run) firstSight(cluster string, since time.Duration, is func(*fleetv1.ClusterHealth) bool) time.Duration {
	seen, _ := r.watch.seen()
	for _, s := range seen {
		if h := s.Event.GetChanged(); s.At > since && h.GetCluster() == cluster && is(h) {
			return s.At
		}
	}
	return 0
}

// transitions returns the history of what happened since then, the latest first.
func (r *run) transitions(t *testing.T, since time.Duration) []*fleetv1.Transition {
	t.Helper()
	return slices.DeleteFunc(r.wholeHistory(t), func(tr *fleetv1.Transition) bool {
		return r.history.Wall(tr.GetOccurredAt().AsTime()) < since
	})
}

// wholeHistory returns what happened since the aggregator was started, the latest first. It is written behind what is told,
// so it waits until the last change of each cluster is in it.
func (r *run) wholeHistory(t *testing.T) (all []*fleetv1.Transition) {
	t.Helper()
	err := process.Poll(t.Context(), func() (bool, error) {
		all = r.listTransitions(t)
		written := map[string]time.Time{}
		for _, tr := range slices.Backward(all) {
			written[tr.GetCluster()] = tr.GetOccurredAt().AsTime()
		}
		for _, h := range r.health(t) {
			if !written[h.GetCluster()].Equal(h.GetSince().AsTime()) {
				return false, fmt.Errorf("what %s is since %s is not in the history", h.GetCluster(), h.GetSince().AsTime())
			}
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (r *run) listTransitions(t *testing.T) (all []*fleetv1.Transition) {
	t.Helper()
	for transition, err := range r.Client(t).ListTransitions(t.Context(), &fleetv1.ListTransitionsRequest{PageSize: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, transition)
	}
	return all
}

// health returns what is known of the whole fleet.
func (r *run) health(t *testing.T) (all []*fleetv1.ClusterHealth) {
	t.Helper()
	for h, err := range r.Client(t).ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{PageSize: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

// conclude ends the watch and holds what was told against what was done.
func (r *run) conclude(t *testing.T) {
	t.Helper()
	r.history.Final = r.health(t)
	r.history.Transitions = r.wholeHistory(t)
	r.watch.end()
	r.schedule.Length = r.history.Now()
	found := checker.Check(r.schedule, r.history)
	for _, v := range found[:min(len(found), violations)] {
		t.Error(v)
	}
	if len(found) > violations {
		t.Errorf("and %d more", len(found)-violations)
	}
}

// pass lets the time of a schedule pass.
func pass(d time.Duration) { <-time.After(d) }
