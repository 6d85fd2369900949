package server_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestWatchersAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	client := healthClient(t, newMonitor(record("a", cluster.Healthy)), server.Options{Metrics: registry})
	watchers := func(n int) bool {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if family.GetName() == "clusterfleet_watchers" {
				return family.GetMetric()[0].GetGauge().GetValue() == float64(n)
			}
		}
		return false
	}
	first, second := watch(t, client, &fleetv1.WatchClusterHealthRequest{}), watch(t, client, &fleetv1.WatchClusterHealthRequest{})
	first.mustGet(t, "reset a=HEALTHY synced")
	second.mustGet(t, "reset a=HEALTHY synced")
	if !watchers(2) {
		t.Error("two watch")
	}
	first.leave()
	second.leave()
	await(t, "the handlers of the two who have left are gone", func() bool { return watchers(0) })
}
