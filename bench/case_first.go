package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// benchFirst measures how soon the first objects of a fleet are there, of which a twentieth never answers. The floor is the
// first object of whichever cluster answers first, read with net/http by as many goroutines.
func benchFirst(ctx context.Context, b *bench) ([]report.Row, error) {
	const latency, limit = 50 * time.Millisecond, 50
	clusters := pick(b, 300, 40)
	scenario := filepath.Join(b.folder, "dead.yaml")
	if err := os.WriteFile(scenario, []byte("faults:\n- {clusters: 5%, fault: hang}\n"), 0o600); err != nil {
		return nil, err
	}
	fleet, err := b.fleet(ctx, clusters, "--latency", latency.String(), "--scenario", scenario,
		"--pods", strconv.Itoa(fetchObjects), "--object-bytes", strconv.Itoa(fetchObjectBytes))
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	var ours, floor []time.Duration
	for range pick(b, 9, 2) {
		first, err := b.firstObject(ctx, fleet.Kubeconfig, clusters, limit)
		if err != nil {
			return nil, err
		}
		ours = append(ours, first)
		m, err := b.alternate(ctx, 1, job{Role: "first", Kubeconfig: fleet.Kubeconfig, Limit: limit})
		if err != nil {
			return nil, err
		}
		floor = append(floor, m[0][0].Wall)
	}
	return []report.Row{{
		Number: 6,
		Work:   fmt.Sprintf("%d clusters of %v, 5 %% dead, limit %d: first object", clusters, latency, limit),
		Ours:   report.Median(ours),
		Floor:  report.Median(floor),
		Target: report.AtMost(report.Times(1.5)),
		Notes:  []string{"cold: neither the aggregator, nothing of which is known about the fleet, nor the floor has a connection"},
	}}, nil
}

// firstObject is how long the first object takes that comes from an aggregator that has just started.
func (b *bench) firstObject(ctx context.Context, kubeconfig string, clusters, limit int) (time.Duration, error) {
	a, err := b.aggregator(ctx, kubeconfig, unwatched)
	if err != nil {
		return 0, err
	}
	defer a.kill()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, err := firstPod(ctx, a.conn, clusters, limit)
	if err != nil {
		err = a.process.Failed(err)
	}
	return first, err
}
