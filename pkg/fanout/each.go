package fanout

import (
	"context"
	"iter"
	"time"
)

// Result is what became of one key.
type Result[K, V any] struct {
	// Index is the position of Key in keys, from 0.
	Index int
	Key   K
	// Value is what fn returned; the zero value if Err is not nil.
	Value V
	// Err is fn's own error, a [*PanicError], or one that is [ErrNotAttempted],
	// or fn's first that is [ErrPostponed], and wraps the cause of ctx's end.
	Err error
	// Queued is the time from the start of ranging until fn was called or, for
	// a key that was not attempted or not again, until that was certain; less
	// Took for one that was postponed.
	Queued time.Duration
	// Took is fn's own time; 0 for a key that was not attempted.
	Took time.Duration
}

// Each calls fn for every key, at most limit at once, and yields one [Result]
// a key in the order of completion. The package comment says what it promises.
// Each panics, before any range, if limit is less than 1.
func Each[K, V any](ctx context.Context, keys iter.Seq[K], limit int, fn func(context.Context, K) (V, error)) iter.Seq[Result[K, V]] {
	parts := fan(ctx, keys, limit, func(ctx context.Context, key K, _ *attempt[K, V]) (V, error) {
		return fn(ctx, key)
	})
	return func(yield func(Result[K, V]) bool) {
		for p := range parts {
			r := Result[K, V]{Index: p.Index, Key: p.Key, Value: p.Value, Err: p.Err, Queued: p.Queued, Took: p.Took}
			if !yield(r) {
				return
			}
		}
	}
}
