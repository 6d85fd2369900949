package fleet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// pass lets fake time pass.
func pass(d time.Duration) { <-time.After(d) }

func TestStopwatchDoesNotCountPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStopwatch(t.Context(), 5*time.Second)
		defer s.stop()
		pass(3 * time.Second)
		s.pause()
		pass(10 * time.Hour)
		s.resume()
		pass(1999 * time.Millisecond)
		synctest.Wait()
		if s.ctx.Err() != nil {
			t.Fatal("it ended before its time")
		}
		pass(time.Millisecond)
		synctest.Wait()
		cause := context.Cause(s.ctx)
		if !errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
			t.Errorf("it ended with %v", cause)
		}
	})
}

func TestStopwatchEndsWithItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leaving := errors.New("leaving")
		parent, leave := context.WithCancelCause(t.Context())
		s := newStopwatch(parent, time.Hour)
		defer s.stop()
		s.pause()
		leave(leaving)
		synctest.Wait()
		if cause := context.Cause(s.ctx); !errors.Is(cause, leaving) {
			t.Errorf("it ended with %v", cause)
		}
	})
}

func TestAReadingThatWasStoppedIsExplainedByWhatStoppedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := newStopwatch(ctx, time.Second)
		defer s.stop()
		<-s.ctx.Done()
		// What a pager returns between two pages is the context's bare error.
		if e := failed(ctx, s.ctx, s.ctx.Err()); e.Reason != "RESPONSE_TIMEOUT" || e.Blame == 4 {
			t.Errorf("the cluster's time was over: %q, blame %d", e.Reason, e.Blame)
		}
		<-ctx.Done()
		if e := failed(ctx, ctx, ctx.Err()); e.Reason != "RESPONSE_TIMEOUT" || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("the call's time was over: %q", e.Reason)
		}
	})
}
