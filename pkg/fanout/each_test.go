package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

var errBroken = errors.New("broken")

func TestEachYieldsOneResultAKeyInOrderOfCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		latency := map[string]time.Duration{"a": 30, "b": 10, "c": 40, "d": 10}
		keys := slices.Values([]string{"a", "b", "c", "d"})

		var got []fanout.Result[string, int]
		for r := range fanout.Each(t.Context(), keys, 3, func(ctx context.Context, key string) (int, error) {
			if err := wait(ctx, latency[key]); err != nil {
				return 0, err
			}
			if key == "b" {
				return 7, errBroken
			}
			return int(latency[key]), nil
		}) {
			got = append(got, r)
		}

		want := []fanout.Result[string, int]{
			{Index: 1, Key: "b", Err: errBroken, Took: 10}, // the 7 is dropped
			{Index: 3, Key: "d", Value: 10, Queued: 10, Took: 10},
			{Index: 0, Key: "a", Value: 30, Took: 30},
			{Index: 2, Key: "c", Value: 40, Took: 40},
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
	})
}

func TestEachOfNoKeysYieldsNothing(t *testing.T) {
	for r := range fanout.Each(t.Context(), upTo(0), 1, double) {
		t.Errorf("got %+v", r)
	}
}

func TestErrorOfOneKeyCancelsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed, done := 0, 0
		for r := range fanout.Each(t.Context(), upTo(100), 10, func(ctx context.Context, key int) (int, error) {
			if key%10 == 0 {
				return 0, errBroken
			}
			return key, wait(ctx, time.Second)
		}) {
			switch {
			case r.Key%10 != 0 && r.Err == nil:
				done++
			case r.Key%10 == 0 && errors.Is(r.Err, errBroken):
				failed++
			default:
				t.Errorf("key %d: error %v", r.Key, r.Err)
			}
		}
		if failed != 10 || done != 90 {
			t.Errorf("%d failed, %d done; want 10 and 90", failed, done)
		}
	})
}

func TestSlotsAreGivenInKeyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		started := make(map[int]bool)
		queued := make([]time.Duration, 200)
		for r := range fanout.Each(t.Context(), upTo(200), 7, func(ctx context.Context, key int) (int, error) {
			mu.Lock()
			started[key] = true
			mu.Unlock()
			return key, wait(ctx, time.Duration(1+key*key%97))
		}) {
			queued[r.Index] = r.Queued
			synctest.Wait()
			for key := range len(started) {
				if !started[key] {
					t.Fatalf("%d keys have started, but not key %d", len(started), key)
				}
			}
		}
		if !slices.IsSorted(queued) {
			t.Errorf("a key was started after a later one: %v", queued)
		}
	})
}

func TestSlowLoopBodyStopsNewStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys, limit = 20, 3
		var started atomic.Int64
		taken := 0
		for range fanout.Each(t.Context(), upTo(keys), limit, func(context.Context, int) (int, error) {
			return int(started.Add(1)), nil
		}) {
			taken++
			waitStubbornly(time.Second)
			synctest.Wait()
			if got, want := int(started.Load()), min(taken+limit, keys); got != want {
				t.Fatalf("%d started with %d taken, want %d", got, taken, want)
			}
		}
	})
}

func TestEveryRangeStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		each := fanout.Each(t.Context(), upTo(10), 2, func(ctx context.Context, n int) (int, error) {
			return 2 * n, wait(ctx, time.Second)
		})
		var ranges sync.WaitGroup
		for range 3 {
			ranges.Go(func() {
				sum := 0
				for r := range each {
					sum += r.Value
					if r.Queued != time.Duration(r.Index/2)*time.Second {
						t.Errorf("key %d queued for %v", r.Key, r.Queued)
					}
				}
				if sum != 90 {
					t.Errorf("sum is %d, want 90", sum)
				}
			})
			waitStubbornly(time.Millisecond)
		}
		ranges.Wait()
	})
}

func TestLimitBelowOnePanicsBeforeAnyRange(t *testing.T) {
	for _, limit := range []int{0, -1} {
		want := fmt.Sprintf("fanout: limit is %d, must be at least 1", limit)
		got := caught(func() { fanout.Each(t.Context(), upTo(1), limit, double) })
		if got != want {
			t.Errorf("panic is %v, want %q", got, want)
		}
	}
}
