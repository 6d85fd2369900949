package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// strayGoroutines is how far the number of goroutines may be off: the server's own come and go.
const strayGoroutines = 10

// benchCancel measures how soon the API servers see that a caller was killed, and what is left of its calls after that.
// The floor is a caller that holds the calls itself: the kernel closes its connections.
func benchCancel(ctx context.Context, b *bench) ([]report.Row, error) {
	calls := pick(b, 1000, 100)
	scenario := filepath.Join(b.folder, "hang.yaml")
	if err := os.WriteFile(scenario, []byte("faults:\n- clusters: \"*\"\n  fault: hang\n"), 0o600); err != nil {
		return nil, err
	}
	fleet, err := b.fleet(ctx, calls, "--scenario", scenario)
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, unwatched)
	if err != nil {
		return nil, err
	}
	defer a.kill()
	before, err := a.holdings(ctx, fleet)
	if err != nil {
		return nil, err
	}
	through := job{Role: "caller", Aggregator: a.grpc, Clusters: calls, Limit: calls, Timeout: time.Minute}
	direct := job{Role: "holder", Kubeconfig: fleet.Kubeconfig, Limit: probeLimit}
	var ours, floor killings
	for range pick(b, 5, 2) {
		if err := b.kill(ctx, fleet, through, calls, &ours); err != nil {
			return nil, err
		}
		if err := b.kill(ctx, fleet, direct, calls, &floor); err != nil {
			return nil, err
		}
	}
	after, err := a.settled(ctx, fleet, before)
	if err != nil {
		return nil, err
	}
	return append(b.killRows(ours, floor, calls), leftRows(before, after)...), nil
}

func (b *bench) killRows(ours, floor killings, calls int) []report.Row {
	return []report.Row{{
		Number: 7,
		Work:   fmt.Sprintf("%d calls in flight, caller killed: abort at the API servers, p99", calls),
		Ours:   report.Median(ours.p99),
		Floor:  report.Median(floor.p99),
		Target: report.AtMost(report.Duration(50 * time.Millisecond)),
		Notes: []string{fmt.Sprintf("medians of %d kills; p50 %s (floor %s), last %s (floor %s); the floor is a caller that holds the calls itself",
			len(ours.p99), report.Duration(measure.Median(ours.p50)), report.Duration(measure.Median(floor.p50)),
			report.Duration(measure.Median(ours.last)), report.Duration(measure.Median(floor.last)))},
	}, {
		Number: 7,
		Work:   fmt.Sprintf("of these %d calls: not in flight at the kill", calls),
		Ours:   report.Count(calls - ours.inFlight),
		Target: report.AtMost(report.Count(0)),
		Must:   b.short, // on a busy machine, not all of a thousand handshakes are in time
		Notes: []string{"calls that did not reach their API server, held back by a bound of the aggregator or ended by a handshake that took too " +
			"long; the row above is about the others"},
	}}
}

func leftRows(before, after holdings) []report.Row {
	return []report.Row{{
		Number: 7,
		Work:   "left after the kills: goroutines more than before",
		Ours:   report.Count(max(0, after.goroutines-before.goroutines)),
		Target: report.AtMost(report.Count(strayGoroutines)),
		Must:   true,
		Notes:  []string{fmt.Sprintf("%d before, %d after", before.goroutines, after.goroutines)},
	}, {
		Number: 7,
		Work:   "left after the kills: open files and connections more than before",
		Ours:   report.Count(max(0, after.files-before.files) + max(0, after.connections-before.connections)),
		Target: report.AtMost(report.Count(0)),
		Must:   true,
		Notes: []string{fmt.Sprintf("open files of the aggregator %d before, %d after; connections at the API servers %d before, %d after",
			before.files, after.files, before.connections, after.connections)},
	}}
}
