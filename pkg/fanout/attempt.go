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

// attempt is the work on one key, and the context that fn gets.
type attempt[K, V any] struct {
	context.Context //nolint:containedctx // it is one

	run  *run[K, V]
	last Part[K, V]
	// resumed is when fn was called or last got control back.
	resumed time.Time
	emitted bool

	wait *wait // nil: fn has not asked for patience
	// first is the error of the first turn where there is a second.
	first error
}

// work brings all parts. It looks at ctx first, because admission does not:
// ctx may have ended while the key waited for its slot.
func (a *attempt[K, V]) work() {
	a.resumed = time.Now()
	a.last.Queued = a.resumed.Sub(a.run.start) - a.last.Took
	if a.Err() != nil {
		why := a.first
		if why == nil {
			why = ErrNotAttempted
		}
		a.last.Err = fmt.Errorf("%w: %w", why, context.Cause(a))
		a.run.parts <- a.last
		return
	}
	defer a.end() // deferred, because fn may call runtime.Goexit
	guard(&a.last.Err, func() error {
		v, err := a.run.call(a, a.last.Key, a)
		if err == nil {
			a.last.Value = v
		}
		return err
	})
}

// emit brings a part before the last and tells whether another is wanted.
func (a *attempt[K, V]) emit(v V) bool {
	if a.wait != nil && !a.emitted {
		a.run.places.hold(a.wait)
	}
	a.emitted = true
	a.last.Took += time.Since(a.resumed)
	part := a.last
	part.Value, part.Done = v, false
	a.run.parts <- part
	a.resumed = time.Now()
	return !a.run.stopped.Load()
}

func (a *attempt[K, V]) end() {
	a.last.Took += time.Since(a.resumed)
	if !a.postponed() {
		a.run.parts <- a.last
	}
}
