package main

import (
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestMemoryIsGivenBackWhenAllClustersAreKnown(t *testing.T) {
	t.Setenv("GOGC", "")
	fill(t)
	g := governed(t)
	g.bound(many)
	for name, c := range map[string]struct {
		known time.Duration // after this time
		after time.Duration
	}{
		"soon":  {3 * time.Second, 5 * time.Second},
		"later": {21 * time.Second, 25 * time.Second},
		"never": {time.Hour, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, before := time.Now(), collections()
				g.settle(t.Context(), func() []*health.Record {
					if got := percent(); got != firstGrowth {
						t.Errorf("meanwhile the heap grows by %d %%", got)
					}
					records := []*health.Record{
						{Subject: &health.Subject{Virtual: true}},
						{Subject: &health.Subject{}, State: cluster.Unreachable},
						{Subject: &health.Subject{}},
					}
					if time.Since(start) >= c.known {
						records[2].State = cluster.Healthy
					}
					return records
				})
				if took := time.Since(start); took != c.after || collections() == before {
					t.Errorf("after %v, with %d collections", took, collections()-before)
				}
				if got := percent(); got != manyGrowth {
					t.Errorf("then the heap grows by %d %%", got)
				}
			})
		})
	}
}

func collections() int64 {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
	return stats.NumGC
}
