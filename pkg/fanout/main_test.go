package fanout_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upTo yields 0, 1, … n-1.
func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// wait is work that takes d and gives up when ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waitStubbornly is work that takes d, whatever becomes of its context.
func waitStubbornly(d time.Duration) { <-time.After(d) }

// double is work that takes no time.
func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

// caught returns what f panics with, nil if it returns.
func caught(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}
