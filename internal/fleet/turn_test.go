package fleet_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestAProbeThatWasLeftGivesItsTurnsBack(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var caller sync.WaitGroup
	caller.Go(func() {
		if left := probeAll(ctx, t, f, fleet.ProbeRequest{})[name]; left.Err == nil {
			t.Errorf("who left got %+v", left.Observation)
		}
	})
	await(t, "the probe is under way", func() bool { return sim.Stats().InFlight == 1 })
	leave()
	caller.Wait()
	if !f.Idle() {
		t.Fatal("something is still held")
	}
	if err := sim.ClearFault(name); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if next := probeAll(soon, t, f, fleet.ProbeRequest{})[name]; next.Err != nil || next.Observation.Verdict.State != cluster.Healthy {
		t.Errorf("the next one got %+v", next)
	}
}
