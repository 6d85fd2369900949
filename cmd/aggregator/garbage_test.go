package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// keepGarbage restores what a test sets of the process.
func keepGarbage(t *testing.T) {
	t.Helper()
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
}

func TestGarbageOfALargeFleetIsCollectedSooner(t *testing.T) {
	keepGarbage(t)
	for _, c := range []struct{ clusters, want int }{{0, 50}, {many - 1, 50}, {many, 15}, {10_000, 15}} {
		new(garbage).bound(c.clusters)
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("%d clusters: the heap grows by %d %%, want %d", c.clusters, got, c.want)
		}
	}
}

func TestGarbageIsTheOperatorsWhoHasSetIt(t *testing.T) {
	keepGarbage(t)
	t.Setenv("GOGC", "80")
	g := holdGarbage()
	g.bound(10_000)
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("the operator's own setting was changed to %d %%", got)
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "1GiB")
	debug.SetMemoryLimit(1 << 30)
	g = holdGarbage()
	g.bound(10_000)
	if percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); percent != manyGrowth || limit != 1<<30 {
		t.Errorf("the heap grows by %d %%, want %d; the operator's limit is %d", percent, manyGrowth, limit)
	}
}

func TestASmallHeapIsLeftAlone(t *testing.T) {
	keepGarbage(t)
	g := holdGarbage()
	defer g.release()
	g.bound(10_000)
	if percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(-1); percent != -1 || limit != leastMemory {
		t.Errorf("before the first collection the heap grows by %d %% and up to %d bytes", percent, limit)
	}
	first := g.awaited()
	runtime.GC()
	await(t, "the next collection is awaited", func() bool { return g.awaited() != first })
	if limit := debug.SetMemoryLimit(-1); limit != leastMemory {
		t.Errorf("after a collection that left little it may have %d bytes", limit)
	}
	large := make([]byte, leastMemory)
	runtime.GC()
	await(t, "a large heap is collected as usual", func() bool { return debug.SetMemoryLimit(-1) == math.MaxInt64 })
	runtime.KeepAlive(large)
	g.bound(10_000)
	if got := debug.SetGCPercent(100); got != manyGrowth {
		t.Errorf("then the heap grows by %d %%, want %d", got, manyGrowth)
	}
}

// awaited is what the next collection ends.
func (g *garbage) awaited() runtime.Cleanup {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for !done() {
		select {
		case <-limit:
			t.Fatal("not so: " + what)
		default:
			runtime.Gosched() // cleanups run beside us
		}
	}
}
