package simulator_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestTenThousandClustersStartAtOnce(t *testing.T) {
	began := time.Now()
	fleet := start(t, simulator.Config{Clusters: 10_000})
	if took := time.Since(began); took > patience/2 {
		t.Errorf("took %v", took)
	}
	names := fleet.Names()
	if names[0] != "sim-0001" || names[9_999] != "sim-10000" {
		t.Errorf("names from %s to %s", names[0], names[9_999])
	}
	if size := len(fleet.Kubeconfig()); size < 10_000*500 || size > 10_000*2000 {
		t.Errorf("the kubeconfig has %d bytes", size)
	}
}

func TestClustersBeyondOneSubnetAreReached(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 600})
	known := load(t, fleet)
	for _, name := range []string{"sim-0001", "sim-0254", "sim-0255", "sim-0508", "sim-0509", "sim-0600"} {
		answer := known.client(name).post(reviewPath, map[string]any{})
		wantStatus(t, answer, 201, name+"-admin")
	}
}
