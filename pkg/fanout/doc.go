// Package fanout does one piece of work for each of many keys, a bounded number
// at a time, and yields every result the moment it exists.
//
//	for r := range fanout.Each(ctx, keys, 64, probe) {
//		// r.Key, r.Value, r.Err: one result a key, the fastest first
//	}
//
// [Each] is for work with one result a key, [Stream] for work with any number
// of them. While the loop runs, this holds:
//
//   - Every key ends exactly once, with a value or an error, unless the loop is
//     left. A key's error is data: it never cancels another key.
//   - At most limit keys are in work. A key is in work until the loop has taken
//     all it brings, so a slow loop body stops new starts, and goroutines and
//     memory are O(limit) for any number of keys, but for those postponed.
//   - Slots are given in the order of keys. Put first what must not wait. A key of
//     which nothing comes makes room for another, if fn lets it: [Patience].
//   - When ctx ends, fn sees it at once, and each key not yet started ends with
//     [ErrNotAttempted], without a call of fn. The loop still gets everything.
//   - When the loop is left, by break, return, panic or runtime.Goexit, fn's
//     context is cancelled and every call awaited. No goroutine outlives the loop.
//   - A panic in fn is that key's error, a [*PanicError]. A panic in keys cancels
//     what runs and goes on in the loop, as a *PanicError.
//
// fn runs on many goroutines, keys on one that is not the loop's. Both are
// waited for: fn has to return when its context ends (which it does at the latest
// with the loop), and a sequence of keys that blocks or has no end has to watch
// ctx by itself. Each range over a returned sequence is a fan-out of its own.
//
// The package does not retry what has failed, time out a single key, limit rates
// or log: fn and the loop body do that. It does not put results in order; they
// carry an index.
package fanout
