package fanout_test

import (
	"runtime"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

func TestMillionKeysNeedMemoryForTheLimitOnly(t *testing.T) {
	const keys, limit, slack = 1_000_000, 64, 1 << 20
	goroutines := runtime.NumGoroutine()
	heap := liveHeap()

	results := 0
	for range fanout.Each(t.Context(), upTo(keys), limit, double) {
		if results++; results%(keys/10) != 0 {
			continue
		}
		// Twice the limit: one that has freed its slot may still have to exit.
		if n := runtime.NumGoroutine() - goroutines; n > 2*limit {
			t.Errorf("after %d results: %d goroutines more, want %d at most", results, n, 2*limit)
		}
		if n := liveHeap() - heap; n > slack {
			t.Errorf("after %d results: %d bytes more, want %d at most", results, n, slack)
		}
	}
	if results != keys {
		t.Errorf("%d results, want %d", results, keys)
	}
}

// liveHeap is the number of reachable bytes.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
