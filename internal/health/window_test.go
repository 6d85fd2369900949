package health_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

func TestQuantilesAreNearestRank(t *testing.T) {
	upTo := func(n int) (ds []time.Duration) {
		for i := range n {
			ds = append(ds, time.Duration(n-i)*ms)
		}
		return ds
	}
	cases := map[string]struct {
		durations []time.Duration
		want      health.Quantiles
	}{
		"none":             {nil, health.Quantiles{}},
		"one":              {upTo(1), health.Quantiles{P50: ms, P90: ms, P99: ms, N: 1}},
		"two":              {upTo(2), health.Quantiles{P50: ms, P90: 2 * ms, P99: 2 * ms, N: 2}},
		"ten":              {upTo(10), health.Quantiles{P50: 5 * ms, P90: 9 * ms, P99: 10 * ms, N: 10}},
		"a hundred":        {upTo(100), health.Quantiles{P50: 50 * ms, P90: 90 * ms, P99: 99 * ms, N: 100}},
		"the last hundred": {upTo(250), health.Quantiles{P50: 50 * ms, P90: 90 * ms, P99: 99 * ms, N: 100}},
		"impossible ones":  {[]time.Duration{-1, math.MaxInt64}, health.Quantiles{P90: math.MaxUint32 * time.Microsecond, P99: math.MaxUint32 * time.Microsecond, N: 2}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var w health.Window
			for _, d := range c.durations {
				w.Add(d)
			}
			if diff := cmp.Diff(c.want, w.Quantiles()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQuantilesAreThoseOfTheLastHundred(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 5))
	var w health.Window
	var all []time.Duration
	for range 1000 {
		d := time.Duration(random.Int64N(5_000_000)) * time.Microsecond
		w.Add(d)
		all = append(all, d)
		last := slices.Sorted(slices.Values(all[max(0, len(all)-100):]))
		rank := func(q float64) time.Duration { return last[int(math.Ceil(q*float64(len(last))/100))-1] }
		want := health.Quantiles{P50: rank(50), P90: rank(90), P99: rank(99), N: len(last)}
		if diff := cmp.Diff(want, w.Quantiles()); diff != "" {
			t.Fatalf("after %d: %s", len(all), diff)
		}
	}
}

func TestWindowIsCompact(t *testing.T) {
	if size := unsafe.Sizeof(health.Window{}); size > 404 {
		t.Errorf("%d bytes, want at most 404", size)
	}
}

func BenchmarkQuantiles(b *testing.B) {
	var w health.Window
	for i := range 100 {
		w.Add(time.Duration(i*7919%100) * ms)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.Quantiles()
	}
}
