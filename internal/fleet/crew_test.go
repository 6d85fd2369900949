package fleet

import (
	"sync"
	"testing"
	"testing/synctest"
)

// blocked is work that waits until it may end.
type blocked struct{ begun, end *sync.WaitGroup }

func (b blocked) work() {
	b.begun.Done()
	b.end.Wait()
}

// working lets n of the crew's goroutines work at the same time.
func working(c *crew, n int) {
	var begun, end sync.WaitGroup
	begun.Add(n)
	end.Add(1)
	for range n {
		c.run(blocked{&begun, &end})
	}
	begun.Wait()
	end.Done()
}

func TestACrewBoundsWhoIsIdleAndNotWhoWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		defer c.close()
		for range 3 {
			working(c, 3*maxIdleCrew)
			synctest.Wait()
			if idle := c.idle.Load(); idle != maxIdleCrew {
				t.Errorf("%d are idle, want %d", idle, maxIdleCrew)
			}
		}
	})
}

func TestACrewsGoroutinesStayForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		defer c.close()
		for range 10 {
			working(c, 2)
			synctest.Wait()
			if idle := c.idle.Load(); idle != 2 {
				t.Errorf("%d are idle, want the 2 that have worked", idle)
			}
		}
	})
}
