package product

import (
	"fmt"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

// Metrics reads the aggregator's metrics.
func (a *Aggregator) Metrics(t testing.TB) metrics.Metrics {
	t.Helper()
	m, err := metrics.Read(t.Context(), "http://"+a.HTTP+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// AwaitMetrics reads the aggregator's metrics until they are as they should be.
func (a *Aggregator) AwaitMetrics(t testing.TB, what string, done func(metrics.Metrics) bool) {
	t.Helper()
	err := process.Poll(t.Context(), func() (bool, error) {
		m := a.Metrics(t)
		return done(m), fmt.Errorf("%d goroutines, %d open files, handled %v",
			int(m.Value("go_goroutines")), int(m.Value("process_open_fds")), m["grpc_server_handled_total"])
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
