package fanout

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// run is one range over a fan-out. Three kinds of goroutines take part: the
// consumer, which receives parts; the feeder, which pulls keys and waits for
// slots; and a worker in each slot that was ever taken. A worker stays for the
// next key: its stack has grown to what fn needs, and growing a new one costs
// as much as a warm request to a server.
type run[K, V any] struct {
	call  call[K, V]
	start time.Time
	// next has no buffer: it hands a key to a worker that is free. The feeder
	// closes it behind the last key.
	next chan *attempt[K, V]
	// lost has a token for each worker that runtime.Goexit in fn has ended. It
	// has room for all: the feeder may have ended.
	lost chan struct{}
	// started counts the slots that were taken.
	started int
	// parts has no buffer: a worker keeps its slot until the consumer has
	// taken what it brings. The feeder closes parts behind the last worker.
	parts chan Part[K, V]
	// places are what keys leave to others.
	places *places[K, V]
	// stopped says that the consumer wants no more. Unlike the end of ctx it
	// also ends the pulling of keys.
	stopped atomic.Bool
	// broken is the panic of keys; to be read once parts is closed.
	broken error
}

// fan is what Each and Stream have in common: all but the shape of fn.
func fan[K, V any](ctx context.Context, keys iter.Seq[K], limit int, call call[K, V]) iter.Seq[Part[K, V]] {
	if limit < 1 {
		panic(fmt.Sprintf("fanout: limit is %d, must be at least 1", limit))
	}
	return func(yield func(Part[K, V]) bool) {
		ctx, cancel := context.WithCancel(ctx)
		r := &run[K, V]{call: call, start: time.Now(), next: make(chan *attempt[K, V]), lost: make(chan struct{}, limit), parts: make(chan Part[K, V]), places: newPlaces[K, V](limit)}
		go r.feed(ctx, cancel, keys, limit)

		defer func() { // deferred, because the loop body may panic
			r.stopped.Store(true)
			cancel()
			for range r.parts { // lets the workers go, ends with the last
			}
			if r.broken != nil {
				panic(r.broken)
			}
		}()
		for p := range r.parts {
			if !yield(p) {
				return
			}
		}
	}
}

// feed gives every key a slot in turn and waits for the last of them.
func (r *run[K, V]) feed(ctx context.Context, cancel context.CancelFunc, keys iter.Seq[K], limit int) {
	var slots errgroup.Group
	slots.SetLimit(limit)
	defer close(r.parts)
	defer func() { _ = slots.Wait() }() // always nil: errors travel in parts
	defer close(r.next)

	// Deferred like all before, because keys may call runtime.Goexit.
	defer func() {
		if r.broken != nil {
			cancel()
		}
		r.feedAgain(&slots)
	}()
	guard(&r.broken, func() error {
		index := 0
		for key := range keys {
			a := &attempt[K, V]{Context: ctx, run: r, last: Part[K, V]{Index: index, Key: key, Done: true}}
			index++
			r.admit(&slots, a) //nolint:contextcheck // a is the context
			if r.stopped.Load() {
				break
			}
		}
		return nil
	})
}

// feedAgain gives the keys that were postponed a slot in turn.
func (r *run[K, V]) feedAgain(slots *errgroup.Group) {
	for !r.stopped.Load() {
		a := r.places.next()
		if a == nil {
			return
		}
		r.admit(slots, a)
	}
}

// admit waits for a slot, which a key does not need to say that it is too late.
func (r *run[K, V]) admit(slots *errgroup.Group, a *attempt[K, V]) {
	if a.Err() != nil {
		a.work()
		return
	}
	r.assign(slots, a)
}

// assign gives the key to a free worker, to a new one while there are slots, or
// else to the first that is done. Workers keep their slots: only where one was
// lost is there another slot to wait for, and it comes free at once.
func (r *run[K, V]) assign(slots *errgroup.Group, a *attempt[K, V]) {
	select {
	case r.next <- a:
		return
	default:
	}
	switch {
	case r.started < cap(r.lost):
		r.started++
	case r.handOver(a):
		return
	}
	slots.Go(func() error {
		r.serve(a)
		return nil
	})
}

// handOver waits for a worker and gives it the key. It reports false when there
// is a slot without one. A key that has had no slot yet may have the place of
// another that is overdue.
func (r *run[K, V]) handOver(a *attempt[K, V]) bool {
	wanted := r.places.wanted
	if a.first != nil {
		wanted = nil
	}
	for {
		select {
		case r.next <- a:
			return true
		case <-r.lost:
			return false
		case <-wanted:
			if r.places.take() {
				wanted = nil
			}
		}
	}
}

// serve works on a and then on whatever comes next.
func (r *run[K, V]) serve(a *attempt[K, V]) {
	returned := false
	defer func() {
		if !returned {
			r.lost <- struct{}{}
		}
	}()
	for more := true; more; {
		a.work()
		a, more = <-r.next
	}
	returned = true
}
