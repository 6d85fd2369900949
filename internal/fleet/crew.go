package fleet

import "sync"

// maxIdleCrew is how many goroutines a crew keeps for later.
const maxIdleCrew = DefaultLimit

// worker has something to do.
type worker interface{ work() }

// crew does work in goroutines that stay for more while there is any: a stack that has grown to what a TLS connection needs
// is worth keeping, for growing one costs as much as a third of a warm probe. With the last piece of work all of them end.
// It needs no end of its own: its goroutines live no longer than the work that its users wait for, but for the instant in
// which the last one goes. The zero value is ready.
type crew struct {
	mu   sync.Mutex
	busy int
	idle []chan worker // each is a goroutine that waits; the last one has just worked
}

// run lets w work in another goroutine. It does not wait.
func (c *crew) run(w worker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy++
	if last := len(c.idle) - 1; last >= 0 {
		c.idle[last] <- w
		c.idle = c.idle[:last]
		return
	}
	go c.serve(w)
}

func (c *crew) serve(w worker) {
	next := make(chan worker, 1) // so that whoever has work need not wait for us to wait
	for rests := true; rests; {
		rests = c.do(w, next)
		if rests {
			w, rests = <-next
		}
	}
}

// do lets w work and reports whether more work may come through next: not if there is none at all, for then everybody goes.
// That counts even if runtime.Goexit ends the goroutine with the work.
func (c *crew) do(w worker, next chan worker) (rests bool) {
	returned := false
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.busy--
		if c.busy == 0 {
			for _, other := range c.idle {
				close(other)
			}
			c.idle = nil
			return
		}
		if rests = returned && len(c.idle) < maxIdleCrew; rests {
			c.idle = append(c.idle, next)
		}
	}()
	w.work()
	returned = true
	return false
}
