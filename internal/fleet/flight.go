package fleet

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// flights lets callers that ask for the same thing at the same time share one call. The call's context is its own: it ends
// when the last caller has left, and no earlier.
type flights[K comparable, V any] struct {
	// call gets what a key stands for.
	call func(context.Context, K) (V, error)

	crew  crew
	mu    sync.Mutex
	calls map[K]*flight[K, V]
}

type flight[K comparable, V any] struct {
	of      *flights[K, V]
	key     K
	ctx     context.Context //nolint:containedctx // the call's own: it ends with the last caller
	cancel  context.CancelCauseFunc
	callers int
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
}

func newFlights[K comparable, V any](call func(context.Context, K) (V, error)) *flights[K, V] {
	return &flights[K, V]{call: call, calls: make(map[K]*flight[K, V])}
}

// leftError is what a caller gets that left while others stayed.
type leftError struct{ cause error }

func (e *leftError) Error() string { return "left before the shared call ended: " + e.cause.Error() }
func (e *leftError) Unwrap() error { return e.cause }

// errGoexit stands for the value of a panic where runtime.Goexit was called.
var errGoexit = errors.New("runtime.Goexit was called")

// do returns what call returns for the key. A caller whose ctx ends leaves: the last one to leave ends the call, waits for it and gets
// its result; those before get a *leftError.
func (s *flights[K, V]) do(ctx context.Context, key K) (V, error) {
	f := s.board(ctx, key)
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
	}
	if f.leave() {
		f.cancel(context.Cause(ctx))
		<-f.done
		return f.value, f.err
	}
	var none V
	return none, &leftError{context.Cause(ctx)}
}

// board joins the call that is under way, or starts one.
func (s *flights[K, V]) board(ctx context.Context, key K) *flight[K, V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.calls[key]; f != nil {
		f.callers++
		return f
	}
	callCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	f := &flight[K, V]{of: s, key: key, ctx: callCtx, cancel: cancel, callers: 1, done: make(chan struct{})}
	s.calls[key] = f
	s.crew.run(f)
	return f
}

// leave reports whether the caller was the last one. Nobody can board the call after that.
func (f *flight[K, V]) leave() bool {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.callers--
	if f.callers > 0 {
		return false
	}
	f.forget()
	return true
}

// forget makes the next caller start a call anew. The lock is held.
func (f *flight[K, V]) forget() {
	if f.of.calls[f.key] == f {
		delete(f.of.calls, f.key)
	}
}

// land ends the flight: value and err are set.
func (f *flight[K, V]) land() {
	f.of.mu.Lock()
	f.forget()
	f.of.mu.Unlock()
	f.cancel(nil)
	close(f.done)
}

// work sets the result of the call. It runs in a goroutine that nobody else protects: a panic becomes an error, and so does
// runtime.Goexit, after which only what is deferred runs.
func (f *flight[K, V]) work() {
	returned := false
	defer f.land()
	defer func() {
		if returned {
			return
		}
		p := recover()
		if p == nil { // not panic(nil), which arrives as *runtime.PanicNilError
			p = errGoexit
		}
		f.err = &fanout.PanicError{Value: p, Stack: debug.Stack()}
	}()
	f.value, f.err = f.of.call(f.ctx, f.key)
	returned = true
}
