package test_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// stuck makes reads of pods hang before the answer in half of the clusters and in the middle of it in the others, and
// full probes in the middle.
const stuck = `
faults:
- {clusters: "sim-000?", fault: hang, paths: [/api/v1/pods]}
- {clusters: "sim-001?", fault: drip, interval: 30s, paths: [/api/v1/pods]}
- {clusters: "*", fault: hang, paths: [/version]}
`

// promptly is well below the time after which a probe or a read gives up by itself.
const promptly = 2 * time.Second

func TestKilledCallerLeavesNothingBehind(t *testing.T) {
	const clusters = 19
	simulation := programs.Simulation(t, stuck, "--clusters", "19")
	a := programs.Aggregator(t, simulation.Kubeconfig, product.Unwatched)
	// From now on there are as many connections as there will be.
	exits(t, a.Fleetctl(t, "get", "configmaps", "-A", "-o", "name"), 0, "sim-0019", "")
	exits(t, a.Fleetctl(t, "probe", "--quick"), 0, "sim-0019", "")
	before := a.Metrics(t)

	for i, c := range []struct {
		method string
		args   []string
	}{
		{"FetchManifests", []string{"get", "pods", "-A", "-o", "jsonl"}},
		{"ProbeClusters", []string{"probe"}},
	} {
		t.Run("of "+c.method, func(t *testing.T) {
			method := []string{"grpc_method", c.method}
			handled := a.Metrics(t).Value("grpc_server_handled_total", method...)
			aborted := simulation.Traffic(t, "").Aborted
			caller := a.StartFleetctl(t, c.args...)
			simulation.AwaitTraffic(t, "", "all clusters are asked", func(s product.Traffic) bool { return s.InFlight == clusters })
			caller.Kill(t)
			killed := time.Now()
			simulation.AwaitTraffic(t, "", "the API servers see the requests end", func(s product.Traffic) bool {
				return s.InFlight == 0 && s.Aborted == aborted+clusters
			})
			if took := time.Since(killed); took > promptly {
				t.Errorf("the API servers saw the requests end after %s: they ended by themselves", took)
			}
			a.AwaitMetrics(t, "the handler ends", func(m metrics.Metrics) bool { return m.Value("grpc_server_handled_total", method...) == handled+1 })
			// A full probe gives up the connection that it was stuck on, and a drip over HTTP/1.1 would, too.
			a.AwaitMetrics(t, "goroutines and connections are what they were", func(m metrics.Metrics) bool {
				return m.Value("go_goroutines") <= before.Value("go_goroutines") && m.Value("process_open_fds") <= before.Value("process_open_fds")
			})
			if i == 0 {
				exits(t, a.Fleetctl(t, "get", "configmaps", "-A", "-o", "name", "--require-complete"), 0, "sim-0001", "")
			}
		})
	}
}
