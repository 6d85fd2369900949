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

func TestEachClusterThatWasReadIsInOneCount(t *testing.T) {
	failed := cluster.NewError(cluster.ResponseTimeout, cluster.PhaseBody, "why", nil)
	for name, c := range map[string]struct {
		end  fleet.End
		want fleet.Summary
	}{
		"whole":             {fleet.End{Items: 3}, fleet.Summary{Succeeded: 1, Items: 3}},
		"cut short":         {fleet.End{Items: 3, Truncated: true}, fleet.Summary{Truncated: 1, Items: 3}},
		"failed":            {fleet.End{Items: 3, Err: failed}, fleet.Summary{Failed: 1, Items: 3}},
		"failed, cut short": {fleet.End{Truncated: true, Err: failed}, fleet.Summary{Failed: 1}},
		"skipped":           {fleet.End{Skipped: true}, fleet.Summary{Skipped: 1}},
	} {
		var s fleet.Summary
		s.Fetch(&fleet.Batch{End: &c.end})
		if diff := cmp.Diff(c.want, s); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
