package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// benchEven measures a fan-out over clusters that all take as long: nothing is to be won by order, only lost by overhead.
func benchEven(ctx context.Context, b *bench) ([]report.Row, error) {
	const (
		clusters = 100
		limit    = 10
		latency  = 50 * time.Millisecond
		timeout  = 5 * time.Second
	)
	fleet, err := b.fleet(ctx, clusters, "--latency", latency.String())
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, unwatched)
	if err != nil {
		return nil, err
	}
	defer a.kill()
	probe := func() error { return probeAll(ctx, a.conn, clusters, limit, timeout) }
	if err := probe(); err != nil { // makes the connections
		return nil, err
	}
	race, err := b.race(ctx, fleet, clusters, job{Kubeconfig: fleet.Kubeconfig, Limit: limit, Timeout: timeout})
	if err != nil {
		return nil, err
	}
	defer race.kill()
	if err := race.warm(); err != nil {
		return nil, err
	}
	bare, err := b.contestant(ctx, job{Role: "bare", Kubeconfig: fleet.Kubeconfig, Limit: limit, Sweeps: 1})
	if err != nil {
		return nil, err
	}
	defer bare.kill()
	var ours, floor runs
	for range pick(b, 9, 2) {
		if err := ours.run(ctx, fleet, probe); err != nil {
			return nil, err
		}
		if err := floor.run(ctx, fleet, bare.once); err != nil {
			return nil, err
		}
		if err := race.round(ctx, allShapes()...); err != nil {
			return nil, err
		}
	}
	ideal := measure.Ideal(slices.Repeat([]time.Duration{latency}, clusters), limit)
	return []report.Row{{
		Number: 4,
		Work:   fmt.Sprintf("%d clusters × %v, limit %d, through the aggregator: wall", clusters, latency, limit),
		Ours:   report.Median(ours.walls),
		Floor:  report.Median(floor.walls),
		Target: report.AtMost(report.Duration(510 * time.Millisecond)),
		Peers:  race.peers(),
		Notes: []string{fmt.Sprintf("the floor is %d goroutines over bare connections; without any overhead "+
			"it would take %v; connections are warm; the median of %d rounds; at most %d calls in flight",
			limit, ideal, len(ours.walls), ours.peak)},
	}}, nil
}

// runs are the repetitions of one fan-out.
type runs struct {
	walls  []time.Duration
	peak   int // calls in flight, as the API servers saw it
	failed int // calls that did not find their cluster healthy, in all repetitions
}

// run does the work once more.
func (r *runs) run(ctx context.Context, fleet *simulated.Fleet, work func() error) error {
	if err := fleet.Reset(ctx); err != nil {
		return err
	}
	start := time.Now()
	if err := work(); err != nil {
		return err
	}
	r.walls = append(r.walls, time.Since(start))
	stats, err := fleet.Stats(ctx)
	r.peak = max(r.peak, stats.PeakInFlight)
	return err
}
