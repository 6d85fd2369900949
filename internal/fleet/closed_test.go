package fleet_test

import (
	"errors"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestTheClientOfARemovedClusterIsClosed(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	removed := f.Client(sim.Names()[0])
	if err := f.Apply(fleettest.Definitions(t, sim)[1:]); err != nil {
		t.Fatal(err)
	}
	body, err := removed.Read(t.Context(), configMaps(), "")
	if err == nil {
		_ = body.Close() // it should not have been opened
	}
	if e, ok := errors.AsType[*cluster.Error](err); !ok || e.Reason != cluster.Internal || e.Phase != cluster.PhaseQueue {
		t.Errorf("it still reads: %v", err)
	}
	if n := sim.Stats().Requests; n != 0 {
		t.Errorf("%d requests", n)
	}
}
