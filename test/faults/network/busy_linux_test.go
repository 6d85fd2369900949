package network_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/stalls"
)

// observe sees how long the machine lets processes wait. The function that it returns ends that and returns the sum: what an
// answer may take longer that goes through all of them. On a machine with nothing else to do that is next to nothing.
func observe(t *testing.T, pids ...int) (stalled func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	histories := make([]*checker.History, len(pids))
	var observers sync.WaitGroup
	for i, pid := range pids { // each by itself: of several, Observe sees the one that waits longest
		histories[i] = checker.NewHistory()
		observers.Go(func() { stalls.Observe(ctx, histories[i], pid) })
	}
	stalled = sync.OnceValue(func() (sum time.Duration) {
		cancel()
		observers.Wait()
		for _, h := range histories {
			sum += h.Stalled(schedule.Window{To: h.Now()})
		}
		return sum
	})
	t.Cleanup(func() { stalled() })
	return stalled
}
