package fanout_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// pages yields 1, 2, … n, each after some work, and then err if there is one.
func pages(ctx context.Context, n int, each time.Duration, err error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for page := 1; page <= n; page++ {
			if err := wait(ctx, each); err != nil {
				yield(0, err)
				return
			}
			if !yield(page, nil) {
				return
			}
		}
		if err != nil {
			yield(-1, err)
		}
	}
}

func TestStreamYieldsEveryValueThenOneEndAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := slices.Collect(fanout.Stream(t.Context(), slices.Values([]string{"two", "none", "broken"}), 2,
			func(ctx context.Context, key string) iter.Seq2[int, error] {
				switch key {
				case "two":
					return pages(ctx, 2, 10, nil)
				case "none":
					return pages(ctx, 0, 10, nil)
				default:
					return pages(ctx, 1, 15, errBroken)
				}
			}))
		want := []fanout.Part[string, int]{
			{Index: 1, Key: "none", Done: true},
			{Index: 0, Key: "two", Value: 1, Took: 10},
			{Index: 2, Key: "broken", Value: 1, Took: 15},
			{Index: 2, Key: "broken", Err: errBroken, Done: true, Took: 15},
			{Index: 0, Key: "two", Value: 2, Took: 20},
			{Index: 0, Key: "two", Done: true, Took: 20},
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
			t.Errorf("parts (-want +got):\n%s", diff)
		}
	})
}

func TestSlowLoopBodyHoldsIteratorsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		var yielded atomic.Int64
		values := 0
		for p := range fanout.Stream(t.Context(), upTo(9), limit, func(ctx context.Context, _ int) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for v, err := range pages(ctx, 4, time.Millisecond, nil) {
					yielded.Add(1)
					if !yield(v, err) {
						return
					}
				}
			}
		}) {
			if !p.Done {
				values++
			}
			waitStubbornly(time.Second)
			synctest.Wait()
			if ahead := int(yielded.Load()) - values; ahead > limit {
				t.Fatalf("%d values wait for the loop, want %d at most", ahead, limit)
			}
			if want := time.Duration(p.Value) * time.Millisecond; !p.Done && p.Took != want {
				t.Errorf("value %d of key %d took %v, want %v", p.Value, p.Key, p.Took, want)
			}
			if p.Done && p.Took != 4*time.Millisecond {
				t.Errorf("key %d took %v, want 4ms", p.Key, p.Took)
			}
		}
		if values != 9*4 {
			t.Errorf("%d values, want %d", values, 9*4)
		}
	})
}

func TestLeavingTheLoopStopsIterators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		var cancelled, refused, running atomic.Int64
		for range fanout.Stream(t.Context(), upTo(100), limit, func(ctx context.Context, _ int) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				running.Add(1)
				defer running.Add(-1)
				for yield(1, nil) { // waits for the loop; the rest happens once it is left
				}
				refused.Add(1)
				if ctx.Err() != nil {
					cancelled.Add(1)
				}
				waitStubbornly(time.Second)
			}
		}) {
			synctest.Wait()
			break
		}
		if running.Load() != 0 || refused.Load() != limit || cancelled.Load() != limit {
			t.Errorf("%d run on, %d were refused, %d cancelled; want 0, %d, %d",
				running.Load(), refused.Load(), cancelled.Load(), limit, limit)
		}
	})
}

func TestCancelEndsEveryStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(2500*time.Millisecond, func() { cancel(errLeft) })

		values, ends := 0, make(map[int]error)
		for p := range fanout.Stream(ctx, upTo(10), 3, func(ctx context.Context, _ int) iter.Seq2[int, error] {
			return pages(ctx, 100, time.Second, nil)
		}) {
			if !p.Done {
				values++
				continue
			}
			if _, twice := ends[p.Index]; twice {
				t.Errorf("key %d ended twice", p.Key)
			}
			ends[p.Index] = p.Err
		}
		if values != 3*2 || len(ends) != 10 {
			t.Errorf("%d values, %d ends; want 6 and 10", values, len(ends))
		}
		for key, err := range ends {
			if !errors.Is(err, errLeft) || errors.Is(err, fanout.ErrNotAttempted) != (key >= 3) {
				t.Errorf("key %d ended with %v", key, err)
			}
		}
	})
}
