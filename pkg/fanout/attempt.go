package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNotAttempted is the error of a key for which fn was not called, because
// ctx ended first.
var ErrNotAttempted = errors.New("not attempted")

// call is the work on one key: any number of values by a.emit, then a last
// value or an error.
type call[K, V any] func(ctx context.Context, key K, a *attempt[K, V]) (V, error)

// attempt is the work on one key.
type attempt[K, V any] struct {
	run  *run[K, V]
	last Part[K, V]
	// resumed is when fn was called or last got control back.
	resumed time.Time
}

// work brings all parts. It looks at ctx first, because admission does not:
// ctx may have ended while the key waited for its slot.
func (a *attempt[K, V]) work(ctx context.Context) {
	a.resumed = time.Now()
	a.last.Queued = a.resumed.Sub(a.run.start)
	if ctx.Err() != nil {
		a.last.Err = fmt.Errorf("%w: %w", ErrNotAttempted, context.Cause(ctx))
		a.run.parts <- a.last
		return
	}
	defer a.end() // deferred, because fn may call runtime.Goexit
	guard(&a.last.Err, func() error {
		v, err := a.run.call(ctx, a.last.Key, a)
		if err == nil {
			a.last.Value = v
		}
		return err
	})
}

// emit brings a part before the last and tells whether another is wanted.
func (a *attempt[K, V]) emit(v V) bool {
	a.last.Took += time.Since(a.resumed)
	part := a.last
	part.Value, part.Done = v, false
	a.run.parts <- part
	a.resumed = time.Now()
	return !a.run.stopped.Load()
}

func (a *attempt[K, V]) end() {
	a.last.Took += time.Since(a.resumed)
	a.run.parts <- a.last
}
