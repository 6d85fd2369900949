package broadcast

import (
	"context"
	"sync"
)

// waiters are the subscribers that wait for news.
type waiters struct {
	mu   sync.Mutex
	list []*waiter
}

// waiter is one who waits, on a channel of its own: on a common one, a thousand would wait for its lock.
type waiter struct {
	news  chan struct{}   // has a token when there may be news
	place int             // in the list, from 1; 0 while it is not there
	done  <-chan struct{} // of the context whose end tells the waiter
}

func newWaiter() waiter { return waiter{news: make(chan struct{}, 1)} }

// wait waits until there may be news, or ctx has ended. It has the end of ctx tell it, the first time that it sees it: a select
// over two channels each time would take twice as long.
func (w *waiter) wait(ctx context.Context) {
	if done := ctx.Done(); done != w.done {
		w.done = done
		context.AfterFunc(ctx, w.tell)
	}
	<-w.news
}

func (w *waiter) tell() {
	select {
	case w.news <- struct{}{}:
	default: // it has not looked since it was told before
	}
}

// note lets the next wake tell the waiter.
func (w *waiters) note(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.place == 0 {
		w.list = append(w.list, one)
		one.place = len(w.list)
	}
}

// forget drops a waiter who has left.
func (w *waiters) forget(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.place == 0 {
		return
	}
	last := w.list[len(w.list)-1]
	w.list[one.place-1], last.place = last, one.place
	w.list[len(w.list)-1] = nil
	w.list = w.list[:len(w.list)-1]
	one.place = 0
}

// wake tells all who wait.
func (w *waiters) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.list {
		one.place = 0
		one.tell()
	}
	clear(w.list)
	w.list = w.list[:0]
}
