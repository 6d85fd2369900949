package test_test

import (
	"syscall"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

const (
	// stale is the age from which on nothing is known of a cluster.
	stale = 35 * time.Second
	// freeze is longer, as of a machine that was suspended.
	freeze = stale + 5*time.Second
	// thaw is the time within which all is known again.
	thaw = 30 * time.Second
)

func TestAFrozenAggregatorDoesNotShowWhatItKnewAsNews(t *testing.T) {
	t.Parallel()
	simulation := programs.Simulation(t, "", "--clusters", "50")
	a := programs.Aggregator(t, simulation.Kubeconfig)
	awaitHealth(t, a, in(healthy))

	a.Signal(t, syscall.SIGSTOP)
	thawed := false
	t.Cleanup(func() {
		if !thawed {
			a.Signal(t, syscall.SIGCONT)
		}
	})
	<-time.After(freeze)
	// A question that waits already is the first thing that the aggregator sees.
	first := make(chan []*fleetv1.ClusterHealth)
	go func() { first <- ask(t, a) }()
	<-time.After(quiet)
	a.Signal(t, syscall.SIGCONT)
	thawed = true
	since := time.Now()

	for _, answer := range [][]*fleetv1.ClusterHealth{<-first, ask(t, a)} {
		if len(answer) != 50 {
			t.Errorf("got %d clusters", len(answer))
		}
		for _, h := range answer {
			if age := h.GetObservation().GetAge().AsDuration(); h.GetState() == healthy && age > stale {
				t.Errorf("%s is shown as healthy, %s after it was seen", h.GetCluster(), age)
			}
		}
	}
	awaitHealth(t, a, in(healthy))
	if took := time.Since(since); took > thaw {
		t.Errorf("all are known to be healthy after %s", took)
	}
	down := []fleetv1.Verdict_State{degraded, unreachable, unauthorized}
	if fell := transitions(t, a, &fleetv1.ClusterSelector{States: down}); len(fell) > 0 {
		t.Errorf("%d clusters seemed to fail: %v", len(fell), fell)
	}
}

// ask returns what the monitor knows, as one page tells it.
func ask(t *testing.T, a *product.Aggregator) (all []*fleetv1.ClusterHealth) {
	t.Helper()
	for h, err := range a.Client(t).ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{}) {
		if err != nil {
			t.Error(err)
		}
		all = append(all, h)
	}
	return all
}
