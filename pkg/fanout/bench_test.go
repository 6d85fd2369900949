package fanout_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// The overhead of one key: what is added to a fn that does nothing.

const overheadLimit = 64

func BenchmarkOverheadEach(b *testing.B) {
	b.ReportAllocs()
	for r := range fanout.Each(b.Context(), upTo(b.N), overheadLimit, double) {
		if r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}

// BenchmarkOverheadStream is for a value of a key with ten of them.
func BenchmarkOverheadStream(b *testing.B) {
	const values = 10
	b.ReportAllocs()
	ten := func(context.Context, int) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for v := range values {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
	for p := range fanout.Stream(b.Context(), upTo(b.N/values), overheadLimit, ten) {
		if p.Err != nil {
			b.Fatal(p.Err)
		}
	}
}

// BenchmarkOverheadErrgroup bounds, but brings no results.
func BenchmarkOverheadErrgroup(b *testing.B) {
	b.ReportAllocs()
	var g errgroup.Group
	g.SetLimit(overheadLimit)
	for key := range b.N {
		g.Go(func() error {
			_, err := double(b.Context(), key)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOverheadErrgroupChannel is the least that bounds and brings results.
func BenchmarkOverheadErrgroupChannel(b *testing.B) {
	b.ReportAllocs()
	results := make(chan int)
	go func() {
		defer close(results)
		var g errgroup.Group
		g.SetLimit(overheadLimit)
		for key := range b.N {
			g.Go(func() error {
				v, err := double(b.Context(), key)
				results <- v
				return err
			})
		}
		_ = g.Wait()
	}()
	for range results {
	}
}

// BenchmarkOverheadWaitGroup neither bounds nor brings results.
func BenchmarkOverheadWaitGroup(b *testing.B) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	for key := range b.N {
		wg.Go(func() { _, _ = double(b.Context(), key) })
	}
	wg.Wait()
}

// BenchmarkMakespan gives the makespan as a ratio to the ideal one within the
// limit, with the latencies of the tests scaled down to a tenth. Naive ignores
// the limit: its ratio is bought with having every call in flight at once.
func BenchmarkMakespan(b *testing.B) {
	works := []struct {
		name      string
		latencies []time.Duration
		limit     int
	}{
		{"Constant", constant(), 10},
		{"HeavyTail", heavyTail(1), 64},
	}
	ways := []struct {
		name string
		call func(context.Context, []time.Duration, int)
	}{
		{"Naive", makeNaive},
		{"Barrier", makeBatches},
		{"Each", makeEach},
	}
	for _, work := range works {
		for i := range work.latencies {
			work.latencies[i] /= 10
		}
		best := ideal(work.latencies, work.limit)
		for _, way := range ways {
			b.Run(work.name+"/"+way.name, func(b *testing.B) {
				for b.Loop() {
					way.call(b.Context(), work.latencies, work.limit)
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(best), "×ideal")
			})
		}
	}
}
