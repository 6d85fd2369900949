package fleet_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestWhoseTurnDidNotComeWasNotAttempted(t *testing.T) {
	var s fleet.Summary
	for _, reason := range []cluster.Reason{cluster.NotAttempted, cluster.QueueTimeout, cluster.ResponseTimeout, cluster.Internal} {
		e := cluster.NewError(reason, cluster.PhaseQueue, "why", nil)
		s.Probe(fleet.ProbeResult{Err: e})
		s.Fetch(&fleet.Batch{End: &fleet.End{Err: e}})
		s.Get(fleet.GetResult{Err: e})
	}
	if diff := cmp.Diff(fleet.Summary{NotAttempted: 6, Failed: 6}, s); diff != "" {
		t.Error(diff)
	}
}
