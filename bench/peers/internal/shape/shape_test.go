package shape_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/bench/peers/internal/shape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestShapesDoAllOfTheWorkInTheTimeThatTheyAreKnownFor(t *testing.T) {
	// 100 pieces of a second, the first one of 10 s, 10 at once.
	for name, want := range map[string]struct{ least, most time.Duration }{
		"errgroup":  {11 * time.Second, 11 * time.Second},
		"naive":     {10 * time.Second, 10 * time.Second},
		"semaphore": {11 * time.Second, 19 * time.Second}, // who waits is served in no order
		"batches":   {19 * time.Second, 19 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				done := map[int]int{}
				start := time.Now()
				shape.ByName()[name](100, 10, func(index int) {
					took := time.Second
					if index == 0 {
						took = 10 * time.Second
					}
					<-time.After(took)
					mu.Lock()
					defer mu.Unlock()
					done[index]++
				})
				if took := time.Since(start); took < want.least || took > want.most {
					t.Errorf("took %v, want %v to %v", took, want.least, want.most)
				}
				if len(done) != 100 {
					t.Errorf("did %d of 100 pieces", len(done))
				}
			})
		})
	}
}
