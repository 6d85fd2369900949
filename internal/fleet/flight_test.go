package fleet

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// flown is what one caller of a flight got.
type flown struct {
	value string
	err   error
	after time.Duration
}

// hangar has flights whose call is the last that was given for the key.
type hangar struct {
	*flights[string, string]
	calls sync.Map
}

func newHangar() *hangar {
	h := &hangar{}
	h.flights = newFlights(func(ctx context.Context, key string) (string, error) {
		call, _ := h.calls.Load(key)
		return call.(func(context.Context) (string, error))(ctx) //nolint:forcetypeassert // nothing else is stored
	})
	return h
}

// board calls do in a goroutine of its own.
func board(ctx context.Context, s *hangar, key string, call func(context.Context) (string, error)) <-chan flown {
	s.calls.Store(key, call)
	result := make(chan flown, 1)
	start := time.Now()
	go func() {
		value, err := s.do(ctx, key)
		result <- flown{value, err, time.Since(start)}
	}()
	return result
}

// slow takes a second unless it is stopped, and counts how often it was called.
func slow(calls *int) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		*calls++
		select {
		case <-time.After(time.Second):
			return "done", nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

func TestCallersOfTheSameThingShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		calls := 0
		first := board(t.Context(), s, "a", slow(&calls))
		synctest.Wait()
		pass(300 * time.Millisecond)
		second := board(t.Context(), s, "a", slow(&calls))
		for _, caller := range []<-chan flown{first, second} {
			if got := <-caller; got.value != "done" || got.err != nil {
				t.Errorf("a caller got %+v", got)
			}
		}
		if calls != 1 {
			t.Errorf("%d calls were made", calls)
		}
		if len(s.flights.calls) != 0 {
			t.Errorf("%d calls are still known", len(s.flights.calls))
		}
	})
}

func TestCallersOfDifferentThingsDoNotShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		calls, others := 0, 0
		first := board(t.Context(), s, "a", slow(&calls))
		second := board(t.Context(), s, "b", slow(&others))
		<-first
		<-second
		if calls != 1 || others != 1 {
			t.Errorf("%d and %d calls were made", calls, others)
		}
	})
}

func TestACallGoesOnForThoseWhoStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		calls := 0
		leaving := errors.New("leaving")
		ctx, leave := context.WithCancelCause(t.Context())
		first := board(ctx, s, "a", slow(&calls))
		synctest.Wait()
		second := board(t.Context(), s, "a", slow(&calls))
		pass(300 * time.Millisecond)
		leave(leaving)
		got := <-first
		if _, left := errors.AsType[*leftError](got.err); !left || !errors.Is(got.err, leaving) || got.after != 300*time.Millisecond {
			t.Errorf("the one who left got %+v", got)
		}
		if got := <-second; got.value != "done" || got.err != nil {
			t.Errorf("the one who stayed got %+v", got)
		}
		if calls != 1 {
			t.Errorf("%d calls were made", calls)
		}
	})
}

func TestTheLastCallerEndsTheCallAndWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		leaving := errors.New("leaving")
		ended := false
		call := func(ctx context.Context) (string, error) {
			<-ctx.Done()
			pass(10 * time.Millisecond) // what ending takes
			ended = true
			return "", context.Cause(ctx)
		}
		ctx, leave := context.WithCancelCause(t.Context())
		first := board(ctx, s, "a", call)
		second := board(ctx, s, "a", call)
		synctest.Wait()
		leave(leaving)
		<-first
		<-second
		if !ended {
			t.Error("nobody waited for the call")
		}
		calls := 0
		if got := <-board(t.Context(), s, "a", slow(&calls)); got.value != "done" || calls != 1 {
			t.Errorf("a later caller got %+v of %d calls", got, calls)
		}
	})
}

func TestNobodyBoardsACallThatWasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		ctx, leave := context.WithCancel(t.Context())
		first := board(ctx, s, "a", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			pass(time.Second)
			return "", context.Cause(ctx)
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		calls := 0
		if got := <-board(t.Context(), s, "a", slow(&calls)); got.value != "done" || calls != 1 {
			t.Errorf("the next caller got %+v of %d calls", got, calls)
		}
		<-first
	})
}

func TestGoexitReachesEveryCallerAsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		call := func(context.Context) (string, error) {
			pass(time.Second)
			runtime.Goexit()
			return "", nil
		}
		first := board(t.Context(), s, "a", call)
		second := board(t.Context(), s, "a", call)
		for _, caller := range []<-chan flown{first, second} {
			got := <-caller
			if p, ok := errors.AsType[*fanout.PanicError](got.err); !ok || len(p.Stack) == 0 {
				t.Errorf("a caller got %+v", got)
			}
		}
		if len(s.flights.calls) != 0 {
			t.Errorf("%d calls are still known", len(s.flights.calls))
		}
	})
}

func TestAPanicReachesEveryCallerAsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHangar()
		call := func(context.Context) (string, error) {
			pass(time.Second)
			panic("a defect")
		}
		first := board(t.Context(), s, "a", call)
		second := board(t.Context(), s, "a", call)
		for _, caller := range []<-chan flown{first, second} {
			got := <-caller
			p, ok := errors.AsType[*fanout.PanicError](got.err)
			if !ok || p.Value != "a defect" || len(p.Stack) == 0 {
				t.Errorf("a caller got %+v", got)
			}
		}
	})
}
