package fleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// The call lasts long enough for a busy machine, and less than what a cluster may take that nobody has set a time for.
func TestAReadEndsWithTheTimeOfItsClusterAndNotWithTheCall(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, lists(simulator.Fault{Kind: simulator.Hang}))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	got := fetchAll(ctx, t, f, fleet.FetchRequest{Query: configMaps(), Timeout: 100 * time.Millisecond})[name]
	if got.end.Err == nil || got.end.Err.Reason != cluster.ResponseTimeout {
		t.Errorf("it ended with %v", got.end.Err)
	}
	if ctx.Err() != nil {
		t.Error("it went on as long as the call")
	}
}
