package test_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

func TestARegionThatFailsIsOneIncident(t *testing.T) {
	t.Parallel()
	const region, size = "us-east-1", 10 // of 40: fleetsim gives four regions ten clusters each
	simulation := programs.Simulation(t, "faults: [{clusters: region="+region+", fault: refuse}, {clusters: sim-0001, fault: not-ready}]",
		"--clusters", "40")
	a := programs.Aggregator(t, simulation.Kubeconfig)
	var members []string
	for name, h := range awaitHealth(t, a, func(h *fleetv1.ClusterHealth) bool {
		return h.GetLabels()["region"] != region || h.GetState() == unreachable
	}) {
		if h.GetLabels()["region"] == region {
			members = append(members, name)
		}
	}
	slices.Sort(members)
	if len(members) != size {
		t.Fatalf("%v are in the region", members)
	}

	var page *fleetv1.GetFleetOverviewResponse
	if err := process.Poll(t.Context(), func() (bool, error) {
		page = overview(t, a)
		found := page.GetIncidents()
		return len(found) == 1 && found[0].GetMembers() == size, errors.New("the region's failure is no incident")
	}); err != nil {
		t.Fatalf("%v: %v", err, page.GetIncidents())
	}
	i := page.GetIncidents()[0]
	if i.GetCause() != fleetv1.Incident_CAUSE_REGION || i.GetValue() != region || i.GetReason() != fleetv1.Verdict_REASON_CONNECTION_REFUSED ||
		i.GetExposed() != size || i.GetId() == "" || i.GetMessage() == "" || !slices.Equal(i.GetClusters(), members) {
		t.Errorf("got %v, want a region's with %v", i, members)
	}
	for name, h := range awaitHealth(t, a, func(h *fleetv1.ClusterHealth) bool {
		return slices.Contains(members, h.GetCluster()) == (h.GetIncident() != "")
	}) {
		if slices.Contains(members, name) && h.GetIncident() != i.GetId() {
			t.Errorf("%s is in incident %q", name, h.GetIncident())
		}
	}
	exits(t, a.Fleetctl(t, "overview"), 0, fmt.Sprintf("%d of %d clusters in region %s", size, size, region), "")
}
