package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// schedule is one random course of a fan-out.
type schedule struct {
	limit    int
	tasks    []task
	cancelAt time.Duration // after the start
	leaveAt  int           // the part with which the loop is left
	bodies   []time.Duration

	start            time.Time
	running, started atomic.Int64
}

// task is what happens for one key.
type task struct {
	values  int
	latency time.Duration // of each value and the end
	end     outcome
	deaf    bool // to the end of its context
	silence time.Duration
	// patience is how long it waits for the silence to end; 0: it has none.
	patience time.Duration

	calls  atomic.Int64
	began  time.Duration
	untold bool // it was postponed and did not come to another turn
}

type outcome int

const (
	succeeds outcome = iota
	fails
	panics
	exits
	outcomes
)

func randomSchedule(seed uint64) *schedule {
	r := rand.New(rand.NewPCG(seed, 0))
	span := func(most int) time.Duration { return time.Duration(r.IntN(most)) * time.Millisecond }
	s := &schedule{
		limit:    1 + r.IntN(8),
		tasks:    make([]task, r.IntN(40)),
		cancelAt: span(400),
		leaveAt:  r.IntN(200),
		bodies:   make([]time.Duration, 1+r.IntN(8)),
	}
	for i := range s.tasks {
		t := &s.tasks[i]
		t.values, t.latency, t.end, t.deaf = r.IntN(4), span(30), outcome(r.IntN(int(outcomes))), r.IntN(5) == 0
		if r.IntN(3) == 0 {
			t.silence, t.patience = span(40), 1+span(20)
		}
	}
	for i := range s.bodies {
		s.bodies[i] = span(10)
	}
	return s
}

// perform is fn for the key'th task.
func (s *schedule) perform(ctx context.Context, key int) iter.Seq2[int, error] {
	t := &s.tasks[key]
	if t.calls.Add(1) == 1 {
		t.began = time.Since(s.start)
	}
	s.started.Add(1)
	return func(yield func(int, error) bool) {
		s.running.Add(1)
		defer s.running.Add(-1)
		if t.patience > 0 {
			patient, happened := fanout.Patience(ctx, t.patience)
			_ = wait(patient, t.silence)
			if !happened() {
				s.started.Add(-1)
				yield(0, fanout.ErrPostponed)
				return
			}
		}
		if t.deaf {
			ctx = context.WithoutCancel(ctx)
		}
		for v := range t.values {
			if err := wait(ctx, t.latency); err != nil {
				yield(0, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := wait(ctx, t.latency); err != nil {
			yield(0, err)
			return
		}
		switch t.end {
		case succeeds, outcomes:
		case fails:
			yield(0, errBroken)
		case panics:
			panic(errBroken)
		case exits:
			runtime.Goexit()
		}
	}
}

// ends tells whether a key may end with err.
func (s *schedule) ends(key int, err error) bool {
	t := &s.tasks[key]
	var p *fanout.PanicError
	switch {
	case errors.Is(err, fanout.ErrNotAttempted):
		return t.calls.Load() == 0 && errors.Is(err, errLeft)
	case errors.Is(err, fanout.ErrPostponed):
		return t.calls.Load() == 1 && t.patience > 0 && errors.Is(err, errLeft)
	case t.calls.Load() < 1 || t.calls.Load() > 2 || t.calls.Load() == 2 && t.silence < t.patience:
		return false
	case errors.Is(err, errLeft):
		return !t.deaf
	case t.end == succeeds:
		return err == nil
	case t.end == fails:
		return errors.Is(err, errBroken)
	default:
		return errors.As(err, &p)
	}
}

// play runs the schedule and checks what holds for each.
func (s *schedule) play(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s.start = time.Now()
	defer time.AfterFunc(s.cancelAt, func() { cancel(errLeft) }).Stop()

	parts, ended := 0, make(map[int]bool)
	next := make([]int, len(s.tasks)) // the value each key has to yield
	for p := range fanout.Stream(ctx, upTo(len(s.tasks)), s.limit, s.perform) {
		if p.Index != p.Key || ended[p.Key] {
			t.Fatalf("part %+v of a key that had ended, or with a wrong index", p)
		}
		if p.Done {
			ended[p.Key] = true
			s.tasks[p.Key].untold = errors.Is(p.Err, fanout.ErrPostponed)
			if !s.ends(p.Key, p.Err) {
				t.Fatalf("key %d ended with %v", p.Key, p.Err)
			}
		} else if p.Value != next[p.Key] || p.Err != nil {
			t.Fatalf("part %+v, want value %d", p, next[p.Key])
		}
		next[p.Key]++
		if parts++; parts == s.leaveAt {
			s.cancelAt = min(s.cancelAt, time.Since(s.start))
			break
		}
		_ = wait(t.Context(), s.bodies[parts%len(s.bodies)])
		synctest.Wait()
		if n := int(s.started.Load()) - attempted(ended, s.tasks); n > s.limit {
			t.Fatalf("%d keys are started and not taken, the limit is %d", n, s.limit)
		}
	}
	if parts != s.leaveAt && len(ended) != len(s.tasks) {
		t.Fatalf("%d of %d keys ended", len(ended), len(s.tasks))
	}
	if n := s.running.Load(); n != 0 {
		t.Fatalf("%d calls go on", n)
	}
	s.checkStarts(t)
}

// attempted is the number of keys that ended after a call of fn.
func attempted(ended map[int]bool, tasks []task) (n int) {
	for key := range ended {
		if tasks[key].calls.Load() > 0 && !tasks[key].untold {
			n++
		}
	}
	return n
}

// checkStarts wants calls in the order of keys, and none after the cancel.
func (s *schedule) checkStarts(t *testing.T) {
	for key := range s.tasks {
		task := &s.tasks[key]
		if task.calls.Load() == 0 {
			continue
		}
		if task.began > s.cancelAt {
			t.Fatalf("fn was called for key %d at %v, cancelled at %v", key, task.began, s.cancelAt)
		}
		if key == 0 || task.began == s.cancelAt { // at one instant any order will do
			continue
		}
		if before := &s.tasks[key-1]; before.calls.Load() == 0 || before.began > task.began {
			t.Fatalf("fn was called for key %d before its turn", key)
		}
	}
}

func TestRandomSchedules(t *testing.T) {
	for seed := range uint64(500) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { randomSchedule(seed).play(t) })
		})
	}
}
