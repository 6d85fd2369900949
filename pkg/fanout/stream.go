package fanout

import (
	"context"
	"iter"
	"time"
)

// Part is one value of a key's stream or, with Done set, its end.
type Part[K, V any] struct {
	// Index is the position of Key in keys, from 0.
	Index int
	Key   K
	// Value is what fn's iterator yielded; the zero value if Done is set.
	Value V
	// Err is why the stream ended, nil if it is complete; only with Done set.
	// It is fn's own error, a [*PanicError], or one that is [ErrNotAttempted],
	// or fn's first that is [ErrPostponed], and wraps the cause of ctx's end.
	Err error
	// Done marks the last part of a key. Every key has exactly one.
	Done bool
	// Queued is the time from the start of ranging until fn was called or, for
	// a key that was not attempted or not again, until that was certain; less
	// Took for one that was postponed.
	Queued time.Duration
	// Took is the time spent in fn and its iterator up to this part, without
	// the waiting for the loop to take parts.
	Took time.Duration
}

// Stream is [Each] for work that yields any number of values a key: pages,
// batches, lines. The iterator that fn returns is ranged over in the key's slot
// and resumed when the loop has taken the part before. An error ends its key;
// the value beside it is dropped.
//
// The parts of one key come in order, those of several keys mixed. When the
// loop is left, the iterator's yield returns false. When ctx ends, stopping is
// up to the iterator; stopping short it has to yield an error, for its key
// would look complete. Stream panics, before any range, if limit is less than 1.
func Stream[K, V any](ctx context.Context, keys iter.Seq[K], limit int, fn func(context.Context, K) iter.Seq2[V, error]) iter.Seq[Part[K, V]] {
	return fan(ctx, keys, limit, func(ctx context.Context, key K, a *attempt[K, V]) (none V, err error) {
		for v, err := range fn(ctx, key) {
			if err != nil {
				return none, err
			}
			if !a.emit(v) {
				break
			}
		}
		return none, nil
	})
}
