package fanout_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

const patience = time.Second

// answered is fn for work that waits, with patience, for an answer.
func answered(ctx context.Context, answer time.Duration) error {
	patient, happened := fanout.Patience(ctx, patience)
	err := wait(patient, answer)
	if !happened() {
		return fanout.ErrPostponed
	}
	return err
}

// TestSilentKeysGiveTheirSlotsToThoseThatWait has silent keys among others that
// take no time: in front of them all, and between them.
func TestSilentKeysGiveTheirSlotsToThoseThatWait(t *testing.T) {
	const limit, keys, silent, silence = 4, 40, 12, 10 * time.Second
	for name, c := range map[string]struct {
		isSilent func(key int) bool
		by       time.Duration // the others have ended
	}{
		"in front": {func(key int) bool { return key < silent }, 3*patience + (silent/limit-1)*silence + time.Second},
		"between":  {func(key int) bool { return key%3 == 2 && key < 3*silent }, silent/limit*patience + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls [keys]atomic.Int64
				var running, most atomic.Int64
				start := time.Now()
				ended := 0
				for r := range fanout.Each(t.Context(), upTo(keys), limit, func(ctx context.Context, key int) (int, error) {
					calls[key].Add(1)
					if n := running.Add(1); n > most.Load() {
						most.Store(n)
					}
					defer running.Add(-1)
					if c.isSilent(key) {
						patient, _ := fanout.Patience(ctx, patience)
						return 0, cmp.Or(wait(patient, silence), errBroken)
					}
					return key, answered(ctx, 10*time.Millisecond)
				}) {
					ended++
					want, by, after := int64(1), c.by, time.Since(start)
					if c.isSilent(r.Key) {
						want, by = 2, by+silent/limit*silence
					}
					if n := calls[r.Key].Load(); n > want || after > by || (r.Err != nil) != c.isSilent(r.Key) {
						t.Errorf("key %d: %d calls, ended after %v with %v; want %d, by %v", r.Key, n, after, r.Err, want, by)
					}
					if r.Queued+r.Took != after || r.Took < silence == c.isSilent(r.Key) {
						t.Errorf("key %d: queued %v, took %v, ended after %v", r.Key, r.Queued, r.Took, after)
					}
				}
				if ended != keys || most.Load() > limit {
					t.Errorf("%d keys ended, %d at once", ended, most.Load())
				}
			})
		})
	}
}

// TestNoMoreArePostponedThanWait has one key more than slots, which comes when
// all others are overdue.
func TestNoMoreArePostponedThanWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 64
		keys := func(yield func(int) bool) {
			upTo(limit)(yield)
			waitStubbornly(4 * time.Second)
			yield(limit)
		}
		var calls atomic.Int64
		for r := range fanout.Each(t.Context(), keys, limit, func(ctx context.Context, _ int) (int, error) {
			calls.Add(1)
			err := answered(ctx, 5*time.Second)
			waitStubbornly(10 * time.Millisecond)
			return 0, err
		}) {
			if r.Err != nil {
				t.Errorf("key %d: %v", r.Key, r.Err)
			}
		}
		if n := calls.Load(); n != limit+2 {
			t.Errorf("%d calls, want %d", n, limit+2)
		}
	})
}

// TestWhereMostAreSlowFewArePostponed holds slow against what is usual, and where
// that is not known, or other than with most, postpones few.
func TestWhereMostAreSlowFewArePostponed(t *testing.T) {
	const limit, keys = 8, 100
	for name, c := range map[string]struct {
		slow      time.Duration
		fast      int // keys, at first
		postponed int64
	}{
		"all":              {slow: 2900 * time.Millisecond},
		"all, and by much": {slow: 10 * time.Second, postponed: limit / 2},
		"all but one":      {slow: 2 * time.Second, fast: 1, postponed: limit/2 + 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				start := time.Now()
				for r := range fanout.Each(t.Context(), upTo(keys), limit, func(ctx context.Context, key int) (int, error) {
					calls.Add(1)
					if key < c.fast {
						return 0, answered(ctx, time.Millisecond)
					}
					return 0, answered(ctx, c.slow-time.Duration(key%limit)*c.slow/20)
				}) {
					if r.Err != nil {
						t.Errorf("key %d: %v", r.Key, r.Err)
					}
				}
				took, by := time.Since(start), (keys/limit+2)*c.slow
				if n := calls.Load() - keys; n > c.postponed || n < c.postponed-1 || took > by {
					t.Errorf("%d of %d keys were postponed in %v; want %d, by %v", n, keys, took, c.postponed, by)
				}
			})
		})
	}
}

func TestPatienceIsWithoutEndWhereNoKeyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const silence = time.Hour
		for r := range fanout.Each(t.Context(), upTo(4), 4, func(ctx context.Context, _ int) (int, error) {
			return 0, answered(ctx, silence)
		}) {
			if r.Err != nil || r.Took != silence || r.Queued != 0 {
				t.Errorf("key %d: queued %v, took %v, %v", r.Key, r.Queued, r.Took, r.Err)
			}
		}
		patient, happened := fanout.Patience(t.Context(), 0)
		if patient != t.Context() || !happened() {
			t.Error("outside of a fan-out it is another context")
		}
	})
}

// TestWhatHasBegunKeepsItsSlot has a key that waits for the only slot only when
// the one that has it is past being overdue.
func TestWhatHasBegunKeepsItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := func(yield func(int) bool) {
			yield(0)
			waitStubbornly(10 * time.Second)
			yield(1)
		}
		for r := range fanout.Each(t.Context(), keys, 1, func(ctx context.Context, _ int) (int, error) {
			patient, happened := fanout.Patience(ctx, patience)
			waitStubbornly(5 * time.Second)
			if !happened() {
				return 0, fanout.ErrPostponed
			}
			return 0, wait(patient, time.Minute)
		}) {
			if r.Err != nil || r.Took != time.Minute+5*time.Second {
				t.Errorf("key %d: took %v, %v", r.Key, r.Took, r.Err)
			}
		}
	})
}

func TestPostponedKeyWhoseTurnDoesNotComeSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 7*time.Second, errLeft)
		defer cancel()
		got := map[int]error{}
		for r := range fanout.Each(ctx, upTo(4), 1, func(ctx context.Context, _ int) (int, error) {
			return 0, answered(ctx, time.Hour)
		}) {
			got[r.Key] = r.Err
		}
		for key, want := range []error{fanout.ErrPostponed, errLeft, fanout.ErrNotAttempted, fanout.ErrNotAttempted} {
			if err := got[key]; !errors.Is(err, want) || !errors.Is(err, errLeft) || errors.Is(err, fanout.ErrPostponed) != (key == 0) {
				t.Errorf("key %d: %v, want %v", key, err, want)
			}
		}
	})
}

func TestWhoHasYieldedOrHadTimeIsNotPostponed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := 0
		for p := range fanout.Stream(t.Context(), upTo(3), 1, func(ctx context.Context, key int) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				patient, _ := fanout.Patience(ctx, patience)
				switch key {
				case 0: // yields although its slot was wanted
					<-patient.Done()
					yield(0, nil)
				case 1: // has time, and does not want it
					yield(0, fanout.ErrPostponed)
					return
				case 2: // none waits any more
					_ = wait(ctx, time.Minute)
				}
				yield(0, errors.Join(context.Cause(patient), errBroken))
			}
		}) {
			parts++
			if p.Done && (p.Err == nil || p.Key == 2 && errors.Is(p.Err, fanout.ErrPostponed)) {
				t.Errorf("key %d: %v", p.Key, p.Err)
			}
		}
		if parts != 4 {
			t.Errorf("%d parts, want 4", parts)
		}
	})
}

// TestLeavingWhileAKeyGivesItsSlotUp leaves the loop when key 0 was told to go
// and has not gone.
func TestLeavingWhileAKeyGivesItsSlotUp(t *testing.T) {
	for _, cause := range []string{"left", "cancelled", "keys panic"} {
		t.Run(cause, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				keys := func(yield func(int) bool) {
					if yield(0) && yield(1) && yield(2) && cause == "keys panic" {
						panic(errBroken)
					}
				}
				ended := map[int]error{}
				p := caught(func() {
					for r := range fanout.Each(ctx, keys, 2, func(ctx context.Context, key int) (int, error) {
						if key > 0 {
							return 0, wait(ctx, 3500*time.Millisecond)
						}
						return 0, fmt.Errorf("stubborn: %w", givesLate(ctx))
					}) {
						ended[r.Key] = r.Err
						if cause == "left" {
							break
						}
						cancel(errLeft)
					}
				})
				var broken *fanout.PanicError
				if err, _ := p.(error); errors.As(err, &broken) != (cause == "keys panic") {
					t.Errorf("panic %v", p)
				}
				if cause == "left" {
					if len(ended) != 1 {
						t.Errorf("%d keys ended: %v", len(ended), ended)
					}
				} else if len(ended) != 3 || !errors.Is(ended[0], fanout.ErrPostponed) {
					t.Errorf("they ended with %v", ended)
				}
			})
		})
	}
}

// givesLate waits for its patience to end and then as long again.
func givesLate(ctx context.Context) error {
	patient, _ := fanout.Patience(ctx, patience)
	<-patient.Done()
	waitStubbornly(time.Second)
	return context.Cause(patient)
}
