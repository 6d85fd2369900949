package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestBudgetLeavesTimeToReport(t *testing.T) {
	for _, test := range []struct{ left, work time.Duration }{
		{10 * time.Millisecond, 5 * time.Millisecond}, // never less than half
		{100 * time.Millisecond, 50 * time.Millisecond},
		{500 * time.Millisecond, 450 * time.Millisecond},
		{time.Second, 950 * time.Millisecond},
		{4 * time.Second, 3800 * time.Millisecond},
		{time.Minute, 59500 * time.Millisecond},
		{time.Hour, time.Hour - 500*time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.left)
			defer cancel()
			budget, release := withBudget(ctx)
			defer release()
			start := time.Now()
			<-budget.Done()
			if worked := time.Since(start); worked != test.work || !errors.Is(context.Cause(budget), context.DeadlineExceeded) || ctx.Err() != nil {
				t.Errorf("of %v, %v were for the work, want %v", test.left, worked, test.work)
			}
		})
	}
}

func TestACallWithoutADeadlineGetsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, release := withBudget(t.Context())
		defer release()
		start := time.Now()
		<-budget.Done()
		if worked := time.Since(start); worked != time.Minute {
			t.Errorf("it got %v", worked)
		}
	})
}

func TestADeadlineThatHasPassedLeavesNoTime(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	budget, release := withBudget(ctx)
	defer release()
	if budget.Err() == nil {
		t.Error("there is time left")
	}
}
