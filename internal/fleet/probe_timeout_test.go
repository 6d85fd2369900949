package fleet_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// TestAProbeOfWhoNeverAnswersEndsAfterFiveSeconds lets a busy machine take a little longer.
func TestAProbeOfWhoNeverAnswersEndsAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	for _, depth := range []cluster.Depth{cluster.Quick, cluster.Full} {
		start := time.Now()
		r := probeAll(t.Context(), t, f, fleet.ProbeRequest{Depth: depth})[name]
		took := time.Since(start)
		if r.Err != nil || r.Observation.Verdict.Reason != cluster.ResponseTimeout {
			t.Errorf("got %+v", r)
		}
		if took < 5*time.Second || took > 8*time.Second {
			t.Errorf("took %v", took)
		}
	}
}
