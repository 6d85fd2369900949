package fanout

import (
	"context"
	"errors"
	"time"
)

// ErrPostponed is what ends the [Patience] with a key, and what fn has to
// return then, as it is or wrapped. A key that does not come to a second turn
// before ctx ends has that error in the end, with the cause of ctx's end.
var ErrPostponed = errors.New("postponed")

// Patience is for what has to happen before anything comes of a key, such as
// the answer of a server. The context that it returns ends, with [ErrPostponed]
// as its cause, when a key that has had no slot yet waits for this one, and
// when it has taken at least d, and four times as long as usual in the fan-out;
// three times d as long as it has happened to none. fn then returns ErrPostponed
// without having yielded anything, and is called for its key again behind all
// others, with patience without end. No more keys are postponed than wait, nor
// than half of the slots and those to which it has happened: where most are slow
// none is too slow.
//
// The function that it returns says that it has happened, and reports whether
// that was in time. If so, the context ends with ctx only. Where it fails, fn
// returns without a call of that function.
//
// Patience is for the goroutine that fn is called in, once, before anything is
// yielded, and for a ctx that comes from there. Any other is returned as it is.
func Patience(ctx context.Context, d time.Duration) (patient context.Context, happened func() (inTime bool)) {
	t, ok := ctx.Value(turnKey{}).(turn)
	if !ok {
		return ctx, always
	}
	return t.patience(ctx, d)
}

func always() bool { return true }

// turnKey is the key of the attempt in the context that fn gets.
type turnKey struct{}

// turn is an attempt of whatever types.
type turn interface {
	patience(ctx context.Context, d time.Duration) (context.Context, func() bool)
}

// Value makes the attempt known to those who get the context of fn.
func (a *attempt[K, V]) Value(key any) any {
	if key == (turnKey{}) {
		return turn(a)
	}
	return a.Context.Value(key)
}

func (a *attempt[K, V]) patience(ctx context.Context, d time.Duration) (context.Context, func() bool) {
	if a.wait != nil || a.first != nil || a.emitted {
		return ctx, always
	}
	ctx, cancel := context.WithCancelCause(ctx)
	w := a.run.places.begin(d, cancel)
	a.wait = w
	return ctx, func() bool { return a.run.places.claim(w) }
}

// postponed reports, at the end of fn, whether there is a second turn.
func (a *attempt[K, V]) postponed() bool {
	w := a.wait
	if w == nil || a.run.places.close(w) {
		return false
	}
	again := !a.emitted && errors.Is(a.last.Err, ErrPostponed)
	if again {
		a.first, a.last.Err, a.wait = a.last.Err, nil, nil
	}
	a.run.places.left(a, again)
	return again
}
