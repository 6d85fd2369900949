package cluster

import "context"

// Waiter is told of the times in which a call waits for its turn at a cluster: for one of the few calls that may run at
// once, and for the rate. Its methods are called by the goroutine that makes the call, in turns, and must not block.
type Waiter interface {
	// Wait says that the call begins to wait.
	Wait()
	// Go says that it waits no longer, because its turn has come or because it was given up.
	Go()
}

type waiterKey struct{}

// WithWaiter returns a context whose reads tell w when they wait.
func WithWaiter(ctx context.Context, w Waiter) context.Context {
	return context.WithValue(ctx, waiterKey{}, w)
}

// turn waits for the turn of a read.
func (c *Client) turn(ctx context.Context) (place, error) {
	if w, ok := ctx.Value(waiterKey{}).(Waiter); ok {
		w.Wait()
		defer w.Go()
	}
	return c.reads().limiter.acquire(ctx)
}
