package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// governed restores in the end what a test sets of the process.
func governed(t *testing.T) *garbage {
	t.Helper()
	was := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(was) })
	g := governGarbage()
	t.Cleanup(g.release)
	return g
}

// percent is by how much the heap may grow.
func percent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

// fill makes the heap so large that it is no longer left alone, until the test ends.
func fill(t *testing.T) {
	t.Helper()
	large := make([]byte, leastHeap)
	runtime.GC()
	t.Cleanup(func() { runtime.KeepAlive(large) })
}

func TestGarbageOfALargeFleetIsCollectedSooner(t *testing.T) {
	t.Setenv("GOGC", "")
	fill(t)
	g := governed(t)
	for _, c := range []struct{ clusters, want, first int }{{0, 50, 50}, {many - 1, 50, 50}, {many, 15, 25}, {10_000, 15, 25}} {
		g.bound(c.clusters)
		if got := percent(); got != c.want {
			t.Errorf("%d clusters: the heap grows by %d %%, want %d", c.clusters, got, c.want)
		}
		g.settles(true)
		g.bound(c.clusters) // read again
		if got := percent(); got != c.first {
			t.Errorf("%d clusters: during the first probes the heap grows by %d %%, want %d", c.clusters, got, c.first)
		}
		g.settles(false)
	}
}

func TestGarbageIsTheOperatorsWhoHasSetIt(t *testing.T) {
	t.Setenv("GOGC", "80")
	governed(t).bound(10_000)
	if got := percent(); got != 100 {
		t.Errorf("the operator's own setting was changed to %d %%", got)
	}
}

func TestASmallHeapMayGrow(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 1600}, {1 << 20, 1600}, {4 << 20, 1500}, {16 << 20, 300}, {32 << 20, 100}, {64 << 20, 0}, {128 << 20, -50}} {
		if got := upToLeast(c.live); got != c.want {
			t.Errorf("%d bytes may grow by %d %%, want %d", c.live, got, c.want)
		}
	}
}

func TestEachCollectionSetsHowMuchTheHeapMayGrow(t *testing.T) {
	t.Setenv("GOGC", "")
	runtime.GC()
	governed(t)
	if got := percent(); got <= growth {
		t.Errorf("a small heap grows by %d %%", got)
	}
	fill(t)
	limit := time.After(time.Minute)
	for percent() != growth {
		select {
		case <-limit:
			t.Fatalf("a large heap grows by %d %%", percent())
		default:
			runtime.Gosched() // what follows a collection runs beside us
		}
	}
}
