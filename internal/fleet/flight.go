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
	mu    sync.Mutex
	calls map[K]*flight[V]
}

type flight[V any] struct {
	callers int
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
}

// leftError is what a caller gets that left while others stayed.
type leftError struct{ cause error }

func (e *leftError) Error() string { return "left before the shared call ended: " + e.cause.Error() }
func (e *leftError) Unwrap() error { return e.cause }

// errGoexit stands for the value of a panic where runtime.Goexit was called.
var errGoexit = errors.New("runtime.Goexit was called")

// do returns what call returns. A caller whose ctx ends leaves: the last one to leave ends the call, waits for it and gets
// its result; those before get a *leftError.
func (s *flights[K, V]) do(ctx context.Context, key K, call func(context.Context) (V, error)) (V, error) {
	f := s.board(ctx, key, call)
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
	}
	if s.leave(key, f) {
		f.cancel(context.Cause(ctx))
		<-f.done
		return f.value, f.err
	}
	var none V
	return none, &leftError{context.Cause(ctx)}
}

// board joins the call that is under way, or starts one.
func (s *flights[K, V]) board(ctx context.Context, key K, call func(context.Context) (V, error)) *flight[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.calls[key]; f != nil {
		f.callers++
		return f
	}
	callCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	f := &flight[V]{callers: 1, cancel: cancel, done: make(chan struct{})}
	if s.calls == nil {
		s.calls = make(map[K]*flight[V])
	}
	s.calls[key] = f
	go func() {
		defer close(f.done)
		defer cancel(nil)
		defer s.land(key, f)
		f.run(callCtx, call)
	}()
	return f
}

// leave reports whether the caller was the last one. Nobody can board the call after that.
func (s *flights[K, V]) leave(key K, f *flight[V]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.callers--
	if f.callers > 0 {
		return false
	}
	if s.calls[key] == f {
		delete(s.calls, key)
	}
	return true
}

func (s *flights[K, V]) land(key K, f *flight[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[key] == f {
		delete(s.calls, key)
	}
}

// run sets the result of call. It runs in a goroutine that nobody else protects: a panic becomes an error, and so does
// runtime.Goexit, after which only what is deferred runs.
func (f *flight[V]) run(ctx context.Context, call func(context.Context) (V, error)) {
	returned := false
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
	f.value, f.err = call(ctx)
	returned = true
}
