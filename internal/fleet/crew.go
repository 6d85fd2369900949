package fleet

import (
	"sync"
	"sync/atomic"
)

// maxIdleCrew is how many goroutines a crew keeps for later.
const maxIdleCrew = DefaultLimit

// worker has something to do.
type worker interface{ work() }

// crew does work in goroutines that stay for more: a stack that has grown to what a TLS connection needs is worth keeping,
// for growing one costs as much as a third of a warm probe.
type crew struct {
	next    chan worker
	idle    atomic.Int32
	members sync.WaitGroup
}

func newCrew() *crew { return &crew{next: make(chan worker)} }

// run lets w work in another goroutine. It does not wait.
func (c *crew) run(w worker) {
	select {
	case c.next <- w:
	default:
		c.members.Go(func() { c.serve(w) })
	}
}

func (c *crew) serve(w worker) {
	for more := true; more; {
		w.work()
		if c.idle.Add(1) > maxIdleCrew {
			c.idle.Add(-1)
			return
		}
		w, more = <-c.next
		c.idle.Add(-1)
	}
}

// close ends all goroutines and waits for them. Nothing is run after that.
func (c *crew) close() {
	close(c.next)
	c.members.Wait()
}
