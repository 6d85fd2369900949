package faults_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/stalls"
)

const (
	// inTime is how long an answer may take while others do harm, besides the time for which the machine let it wait.
	inTime = 5 * time.Second
	// mostHarmful is how many goroutines a connection may take: two for each of the 128 calls that it may have under way, however
	// fast they are begun and reset, and some for itself and for probes.
	mostHarmful = 2*128 + 100
)

// bystander is what one met who asked again and again.
type bystander struct {
	// calls are when each call was under way.
	calls []schedule.Window
	// goroutines are the most that the aggregator was seen to have.
	goroutines int
	err        error
}

// askWhile asks all the time while harm is done on one connection, and checks that each answer came in its time, and that
// the aggregator did not take on more than it promises to.
func (s *subject) askWhile(t *testing.T, before resources, harm func()) {
	t.Helper()
	h := checker.NewHistory()
	ctx, end := context.WithCancel(t.Context())
	var observer sync.WaitGroup
	observer.Go(func() { stalls.Observe(ctx, h, os.Getpid(), s.PID()) })
	defer observer.Wait()
	defer end()
	asked, done := make(chan struct{}, 1), make(chan struct{})
	ended := make(chan bystander, 1)
	go func() { ended <- s.ask(ctx, h, asked, done) }()
	<-asked
	harm()
	close(done)
	b := <-ended
	end()
	observer.Wait()
	if b.err != nil {
		t.Errorf("another caller: %v", b.err)
	}
	longest := time.Duration(0)
	for _, w := range b.calls {
		took := w.To - w.From
		longest = max(longest, took)
		if stalled := h.Stalled(w); took > inTime+stalled {
			t.Errorf("another caller waited for %s, %s of them stalled", took, stalled)
		}
	}
	t.Logf("another caller had %d answers, the slowest after %s; there were %d goroutines at most, %d before",
		len(b.calls), longest, b.goroutines, before.goroutines)
	if b.goroutines == 0 || b.goroutines > before.goroutines+mostHarmful {
		t.Errorf("there were %d goroutines, %d before", b.goroutines, before.goroutines)
	}
}

// ask asks until done, and once more; of its first answer it tells.
func (s *subject) ask(ctx context.Context, h *checker.History, asked chan<- struct{}, done <-chan struct{}) (b bystander) {
	defer close(asked)
	for last := false; ; {
		call, cancel := context.WithTimeout(ctx, callerPatience)
		from := h.Now()
		_, err := s.list(call)
		b.calls = append(b.calls, schedule.Window{From: from, To: h.Now()})
		var now resources
		if err == nil {
			now, err = s.resources(call)
		}
		cancel()
		b.goroutines = max(b.goroutines, now.goroutines)
		if b.err = err; err != nil || last {
			return b
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
}
