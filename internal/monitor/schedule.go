package monitor

import (
	"container/heap"
	"time"
)

// schedule holds the clusters that wait for their time, the earliest first.
type schedule []*entry

// Len is for package heap, as are the others.
func (s schedule) Len() int { return len(s) }

// Less orders by time.
func (s schedule) Less(i, j int) bool { return s[i].due.Before(s[j].due) }

// Swap swaps.
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push appends an *entry.
func (s *schedule) Push(x any) {
	e := x.(*entry) //nolint:forcetypeassert // nothing else is pushed
	e.index = len(*s)
	*s = append(*s, e)
}

// Pop removes the last.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	e := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	e.index = -1
	return e
}

// add lets the cluster wait until due.
func (s *schedule) add(e *entry, due time.Time) {
	e.due = due
	heap.Push(s, e)
}

// remove forgets a cluster that waits.
func (s *schedule) remove(e *entry) { heap.Remove(s, e.index) }

// hasten lets a cluster that waits for longer wait only until due, and reports whether there is one.
func (s *schedule) hasten(e *entry, due time.Time) bool {
	if e.index < 0 || !due.Before(e.due) {
		return false
	}
	e.due = due
	heap.Fix(s, e.index)
	return true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// next returns when the earliest is due.
func (s schedule) next() (due time.Time, ok bool) {
	if len(s) == 0 {
		return time.Time{}, false
	}
	return s[0].due, true
}

// take returns the earliest if its time has come.
func (s *schedule) take(now time.Time) *entry {
	if due, ok := s.next(); !ok || due.After(now) {
		return nil
	}
	return heap.Pop(s).(*entry) //nolint:forcetypeassert // nothing else is pushed
}
