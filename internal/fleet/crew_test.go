package fleet

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// task is work that lasts until it is told to end.
type task struct{ begun, end chan struct{} }

func newTask() task { return task{make(chan struct{}), make(chan struct{})} }

func (t task) work() {
	close(t.begun)
	<-t.end
}

// begin lets a crew work on n tasks at the same time.
func begin(c *crew, n int) []task {
	tasks := make([]task, n)
	for i := range tasks {
		tasks[i] = newTask()
		c.run(tasks[i])
		<-tasks[i].begun
	}
	return tasks
}

func end(tasks ...task) {
	for _, t := range tasks {
		close(t.end)
	}
	synctest.Wait()
}

func checkIdle(t *testing.T, c *crew, want int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) != want {
		t.Errorf("%d are idle, want %d", len(c.idle), want)
	}
}

func TestACrewsGoroutinesStayWhileThereIsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		first := begin(&c, 1)
		end(begin(&c, 3)...)
		checkIdle(t, &c, 3)
		again := begin(&c, 2)
		checkIdle(t, &c, 1)
		end(again...)
		checkIdle(t, &c, 3)
		end(first...)
		checkIdle(t, &c, 0) // and none is left behind: synctest would say so
	})
}

func TestACrewBoundsWhoIsIdleAndNotWhoWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		first := begin(&c, 1)
		for range 2 {
			end(begin(&c, 3*maxIdleCrew)...)
			checkIdle(t, &c, maxIdleCrew)
		}
		end(first...)
	})
}

// leaver is work that ends its goroutine.
type leaver struct{}

func (leaver) work() { runtime.Goexit() }

func TestACrewOutlivesGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		first := begin(&c, 1)
		c.run(leaver{})
		synctest.Wait()
		checkIdle(t, &c, 0)
		end(begin(&c, 2)...)
		end(first...)
		checkIdle(t, &c, 0)
	})
}
