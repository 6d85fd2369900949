package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// tail is a fleet in which most clusters are fast and a few are slow.
type tail struct {
	clusters, limit int
	fast, slow      time.Duration
	share           int // percent of the clusters that are slow
}

func (t tail) latency() string { return fmt.Sprintf("%v,%d%%=%v", t.fast, t.share, t.slow) }

func (t tail) timeout() time.Duration { return 4 * t.slow }

func (t tail) ideal() time.Duration {
	slow := t.clusters * t.share / 100
	latencies := slices.Repeat([]time.Duration{t.fast}, t.clusters-slow)
	return measure.Ideal(append(latencies, slices.Repeat([]time.Duration{t.slow}, slow)...), t.limit)
}

// tailFound is what the rounds have shown so far.
type tailFound struct {
	cold, history runs
	peers         *race
}

// benchTail measures how much longer than ideal a fan-out takes when a few clusters are slow. It begins each round with
// another draw of which ones those are.
func benchTail(ctx context.Context, b *bench) ([]report.Row, error) {
	t := pick(b,
		tail{clusters: 1000, limit: 64, fast: 50 * time.Millisecond, slow: 5 * time.Second, share: 1},
		tail{clusters: 300, limit: 64, fast: 10 * time.Millisecond, slow: time.Second, share: 1})
	var found tailFound
	rounds := pick(b, 3, 1)
	for seed := range rounds {
		if err := b.tailRound(ctx, t, seed+1, &found); err != nil {
			return nil, err
		}
	}
	work := fmt.Sprintf("%d clusters, %v, %d %% at %v, limit %d: makespan", t.clusters, t.fast, t.share, t.slow, t.limit)
	ideal := report.Duration(t.ideal())
	return []report.Row{{
		Number: 3,
		Work:   work + ", cold",
		Ours:   report.Median(found.cold.walls),
		Floor:  ideal,
		Target: report.AtMost(report.Times(1.2)),
		Peers:  found.peers.peers(),
		Notes: []string{fmt.Sprintf("the floor is computed: the longest call or all work spread evenly; cold is the first call to an "+
			"aggregator that has just started, connections included; the median of %d draws, of one for the batches", rounds)},
	}, {
		Number: 3,
		Work:   work + ", with history",
		Ours:   report.Median(found.history.walls),
		Floor:  ideal,
		Target: report.AtMost(report.Times(1.05)),
	}}, nil
}

func (b *bench) tailRound(ctx context.Context, t tail, seed int, found *tailFound) error {
	fleet, err := b.fleet(ctx, t.clusters, "--latency", t.latency(), "--seed", strconv.Itoa(seed))
	if err != nil {
		return err
	}
	defer fleet.Kill()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, unwatched)
	if err != nil {
		return err
	}
	defer a.kill()
	probe := func() error { return probeAll(ctx, a.conn, t.clusters, t.limit, t.timeout()) }
	if err := found.cold.run(ctx, fleet, probe); err != nil {
		return err
	}
	if err := found.history.run(ctx, fleet, probe); err != nil {
		return err
	}
	peers, err := b.race(ctx, fleet, t.clusters, job{Kubeconfig: fleet.Kubeconfig, Limit: t.limit, Timeout: t.timeout()})
	if err != nil {
		return err
	}
	defer peers.kill()
	if found.peers != nil {
		// Batches take long, and always alike: once is enough.
		if err := peers.round(ctx, "errgroup", "naive", "semaphore"); err != nil {
			return err
		}
		found.peers.add(peers)
		return nil
	}
	found.peers = peers
	return peers.round(ctx, allShapes()...)
}
