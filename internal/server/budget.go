package server

import (
	"context"
	"time"
)

// Bounds of a call's time.
const (
	defaultTime = 60 * time.Second
	minHeadroom = 50 * time.Millisecond
	maxHeadroom = 500 * time.Millisecond
)

// withBudget returns a context that ends shortly before the caller's deadline, so that there is time to report what is
// unfinished and to send the summary: the caller always gets what was found.
func withBudget(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, defaultTime)
	}
	left := time.Until(deadline)
	return context.WithDeadline(ctx, deadline.Add(-headroom(left)))
}

// headroom is 5 % of the time that is left, within bounds, and never more than half of it.
func headroom(left time.Duration) time.Duration {
	return max(0, min(max(left/20, minHeadroom), maxHeadroom, left/2))
}
