package fanout_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

var errLeft = errors.New("the caller left")

func TestCancelWhileBlockedOnAdmissionEndsEveryKeyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errLeft) })

		var calls atomic.Int64
		queued := make(map[int]time.Duration)
		start := time.Now()
		for r := range fanout.Each(ctx, upTo(100), 2, func(ctx context.Context, key int) (int, error) {
			calls.Add(1)
			return key, wait(ctx, time.Hour)
		}) {
			attempted := r.Index < 2
			if !errors.Is(r.Err, errLeft) || errors.Is(r.Err, fanout.ErrNotAttempted) == attempted {
				t.Errorf("key %d: error %v", r.Key, r.Err)
			}
			if attempted != (r.Took == time.Second) || attempted != (r.Queued == 0) {
				t.Errorf("key %d: queued %v, took %v", r.Key, r.Queued, r.Took)
			}
			queued[r.Index] = r.Queued
		}
		if calls.Load() != 2 || len(queued) != 100 {
			t.Errorf("%d calls, %d results; want 2 and 100", calls.Load(), len(queued))
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("ended after %v, want 1s", took)
		}
	})
}

func TestDeadlineIsToldFromCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for r := range fanout.Each(ctx, upTo(5), 1, func(ctx context.Context, key int) (int, error) {
			return key, wait(ctx, time.Hour)
		}) {
			if !errors.Is(r.Err, context.DeadlineExceeded) {
				t.Errorf("key %d: error %v", r.Key, r.Err)
			}
		}
	})
}

func TestKeyPulledAfterCancelDoesNotWaitForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		keys := func(yield func(int) bool) {
			if !yield(0) {
				return
			}
			synctest.Wait() // key 0 has the only slot
			cancel()
			yield(1)
		}
		order := []int{}
		for r := range fanout.Each(ctx, keys, 1, func(context.Context, int) (int, error) {
			waitStubbornly(time.Hour)
			return 0, nil
		}) {
			order = append(order, r.Key)
			if r.Queued != 0 || errors.Is(r.Err, fanout.ErrNotAttempted) != (r.Key == 1) {
				t.Errorf("key %d: queued %v, error %v", r.Key, r.Queued, r.Err)
			}
		}
		if diff := cmp.Diff([]int{1, 0}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestResultsFinishedBeforeCancelAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		got := make(map[int]bool) // by key: delivered with its value
		for r := range fanout.Each(ctx, upTo(10), 4, double) {
			synctest.Wait() // four more are finished and wait to be taken
			cancel()
			got[r.Key] = r.Err == nil && r.Value == 2*r.Key
			if !got[r.Key] && !errors.Is(r.Err, fanout.ErrNotAttempted) {
				t.Errorf("key %d: error %v", r.Key, r.Err)
			}
		}
		for key := range 10 {
			if got[key] != (key < 5) {
				t.Errorf("key %d: delivered with its value: %v", key, got[key])
			}
		}
	})
}

func TestLeavingTheLoopCancelsAndAwaitsEverything(t *testing.T) {
	ways := map[string]func(*testing.T, iter.Seq[fanout.Result[int, int]]){
		"break": func(_ *testing.T, results iter.Seq[fanout.Result[int, int]]) {
			for range results {
				break
			}
		},
		"panic": func(t *testing.T, results iter.Seq[fanout.Result[int, int]]) {
			got := caught(func() {
				for range results {
					panic(errLeft)
				}
			})
			if got != errLeft { //nolint:errorlint // the very value that was raised
				t.Errorf("panic is %v, want %v", got, errLeft)
			}
		},
		"goexit": func(_ *testing.T, results iter.Seq[fanout.Result[int, int]]) {
			exited := make(chan struct{})
			go func() {
				defer close(exited)
				for range results {
					runtime.Goexit()
				}
			}()
			<-exited
		},
	}
	for way, leave := range ways {
		t.Run(way, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testLeaving(t, leave) }) })
	}
}

// testLeaving leaves the loop over a fan-out without end at its first result,
// after one second.
func testLeaving(t *testing.T, leave func(*testing.T, iter.Seq[fanout.Result[int, int]])) {
	const limit, cleanup = 4, 3 * time.Second
	var pulled, running atomic.Int64
	var ended atomic.Bool
	keys := func(yield func(int) bool) {
		defer ended.Store(true)
		for key := 0; yield(key); key++ {
			pulled.Add(1)
		}
	}
	results := fanout.Each(t.Context(), keys, limit, func(ctx context.Context, key int) (int, error) {
		running.Add(1)
		defer running.Add(-1)
		if key == 0 {
			return 0, wait(ctx, time.Second)
		}
		err := wait(ctx, time.Hour)
		waitStubbornly(cleanup)
		return 0, err
	})

	start := time.Now()
	leave(t, results)

	if n := running.Load(); n != 0 {
		t.Errorf("%d calls go on", n)
	}
	if !ended.Load() {
		t.Error("keys goes on")
	}
	if took := time.Since(start); took != time.Second+cleanup {
		t.Errorf("took %v, want %v", took, time.Second+cleanup)
	}
	if n := pulled.Load(); n > limit+1 {
		t.Errorf("%d keys went into slots, want %d at most", n, limit+1)
	}
}
