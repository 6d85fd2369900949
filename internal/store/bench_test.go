package store_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
)

// BenchmarkSave is of 10,000 clusters at once, until they are on disk.
func BenchmarkSave(b *testing.B) {
	s := open(b, store.Options{Dir: b.TempDir()})
	var all []health.Snapshot
	for i := range 10_000 {
		all = append(all, snapshot(fmt.Sprintf("arn:aws:eks:eu-west-1:123456789012:cluster/c%d", i)))
	}
	b.ReportAllocs()
	var blocked time.Duration
	for b.Loop() {
		want := s.Stats().WrittenSnapshots + uint64(len(all))
		began := time.Now()
		s.Save(all...)
		blocked += time.Since(began)
		eventually(b, "all are written", func() bool { return s.Stats().WrittenSnapshots >= want })
	}
	b.ReportMetric(float64(blocked.Milliseconds())/float64(b.N), "ms-blocked/op")
}

// BenchmarkAppend is of one transition, all of them written at the end.
func BenchmarkAppend(b *testing.B) {
	s := open(b, store.Options{Dir: b.TempDir()})
	x := transition("a", 1)
	b.ReportAllocs()
	for b.Loop() {
		if s.Stats().PendingTransitions > 50_000 {
			b.StopTimer()
			settle(b, s)
			b.StartTimer()
		}
		s.Append(x)
	}
}

// BenchmarkWrite is of 1,000 transitions, until they are on disk.
func BenchmarkWrite(b *testing.B) {
	s := open(b, store.Options{Dir: b.TempDir()})
	for b.Loop() {
		for i := range 1000 {
			s.Append(transition("a", i))
		}
		settle(b, s)
	}
}

// BenchmarkQuery is of the latest 100 among 100,000 transitions of 1,000 clusters.
func BenchmarkQuery(b *testing.B) {
	dir := b.TempDir()
	s := open(b, store.Options{Dir: dir})
	for i := range 100_000 {
		s.Append(transition(fmt.Sprintf("c%d", i%1000), i))
		if i%10_000 == 0 {
			settle(b, s)
		}
	}
	settle(b, s)
	many := map[string]struct{}{}
	for i := range 100 {
		many[fmt.Sprintf("c%d", i)] = struct{}{}
	}
	for name, q := range map[string]health.HistoryQuery{
		"all":     {Limit: 100},
		"one":     {Limit: 100, Clusters: only("c7")},
		"ten":     {Limit: 100, Clusters: only("c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9")},
		"hundred": {Limit: 100, Clusters: many},
		"middle":  {Limit: 100, Clusters: only("c7"), Before: 50_000},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got := history(b, s, q); len(got) < 50 {
					b.Fatalf("%d are found", len(got))
				}
			}
		})
	}
	shut(b, s)
	b.Run("cold", func(b *testing.B) {
		var opening, asking time.Duration
		for b.Loop() {
			began := time.Now()
			s, err := store.Open(b.Context(), store.Options{Dir: dir})
			if err != nil {
				b.Fatal(err)
			}
			opened := time.Now()
			opening += opened.Sub(began)
			history(b, s, health.HistoryQuery{Limit: 100, Clusters: only("c7")})
			asking += time.Since(opened)
			shut(b, s)
		}
		b.ReportMetric(float64(opening.Milliseconds())/float64(b.N), "ms-open/op")
		b.ReportMetric(float64(asking.Milliseconds())/float64(b.N), "ms-query/op")
	})
}

// BenchmarkOpen is of a store that holds 1,000 clusters, and loads them. It also reports what an idle store costs.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, store.Options{Dir: dir})
	for i := range 1000 {
		s.Save(snapshot(fmt.Sprint("c", i)))
		s.Append(transition(fmt.Sprint("c", i), i))
	}
	shut(b, s)
	goroutines, heap := runtime.NumGoroutine(), inUse()
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if got := load(b, s); len(got) != 1000 {
			b.Fatalf("%d are loaded", len(got))
		}
		b.StopTimer()
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
		b.ReportMetric(float64(int64(inUse())-int64(heap))/(1<<20), "MiB-idle")
		shut(b, s)
		b.StartTimer()
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
