package fanout_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// constant is 100 calls of 50 ms.
func constant() []time.Duration { return slices.Repeat([]time.Duration{50 * time.Millisecond}, 100) }

// heavyTail is 1,000 calls of 50 ms, but 1 % of them, at random, take 5 s.
func heavyTail(seed uint64) []time.Duration {
	latencies := slices.Repeat([]time.Duration{50 * time.Millisecond}, 1000)
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(1000)[:10] {
		latencies[i] = 5 * time.Second
	}
	return latencies
}

// ideal is the least time in which limit workers can make these calls: the
// longest call, or all work spread evenly.
func ideal(latencies []time.Duration, limit int) time.Duration {
	var sum time.Duration
	for _, d := range latencies {
		sum += d
	}
	return max(slices.Max(latencies), sum/time.Duration(limit))
}

// The ways to make calls of these latencies, at most limit at once.

func makeEach(ctx context.Context, latencies []time.Duration, limit int) {
	for range fanout.Each(ctx, slices.Values(latencies), limit, func(ctx context.Context, d time.Duration) (int, error) {
		return 0, wait(ctx, d)
	}) {
	}
}

// makeBatches waits for each batch of limit calls before the next.
func makeBatches(ctx context.Context, latencies []time.Duration, limit int) {
	for batch := range slices.Chunk(latencies, limit) {
		makeNaive(ctx, batch, limit)
	}
}

// makeNaive makes all calls at once, whatever the limit.
func makeNaive(ctx context.Context, latencies []time.Duration, _ int) {
	var wg sync.WaitGroup
	for _, d := range latencies {
		wg.Go(func() { _ = wait(ctx, d) })
	}
	wg.Wait()
}

// makespan is the fake time a way of making calls needs.
func makespan(t *testing.T, latencies []time.Duration, limit int, way func(context.Context, []time.Duration, int)) (took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		way(t.Context(), latencies, limit)
		took = time.Since(start)
	})
	return took
}

func TestMakespanOfConstantLatencyIsIdeal(t *testing.T) {
	if took := makespan(t, constant(), 10, makeEach); took != 500*time.Millisecond {
		t.Errorf("took %v, want 500ms", took)
	}
}

func TestMakespanOfHeavyTailIsNearIdealInAnyOrder(t *testing.T) {
	const limit = 64
	slowLast := slices.Sorted(slices.Values(heavyTail(0)))
	slowFirst := slices.Clone(slowLast)
	slices.Reverse(slowFirst)
	orders := [][]time.Duration{slowFirst, slowLast}
	for seed := range uint64(20) {
		orders = append(orders, heavyTail(seed))
	}
	for i, latencies := range orders {
		best := ideal(latencies, limit)
		if took := makespan(t, latencies, limit, makeEach); took > best*12/10 {
			t.Errorf("order %d: took %v, ideal is %v", i, took, best)
		}
	}
	if took, best := makespan(t, heavyTail(1), limit, makeBatches), ideal(heavyTail(1), limit); took < 4*best {
		t.Errorf("barrier batches took %v with an ideal of %v: this work tells nothing apart", took, best)
	}
}
