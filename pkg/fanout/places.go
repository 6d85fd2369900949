package fanout

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// slower is how many times as long as with others it takes until a key is
	// overdue, unseen how many times d while there are no others.
	slower = 4
	unseen = 3
	// looks is how often in d is looked whether a key is overdue by now.
	looks = 4
	// inertia is of how many keys it is about the mean how long it takes.
	inertia = 8
)

// wait is the patience with one key. The lock of places guards it.
type wait struct {
	stage  stage
	begun  time.Time
	least  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

type stage int

const (
	waiting stage = iota
	overdue
	leaving // it was told to, and fn has not returned
	settled
)

// places are the slots of a run as far as keys give them up.
type places[K, V any] struct {
	mu sync.Mutex
	// usual is how long it took lately until it happened; 0: to none yet.
	usual time.Duration
	// credit is how many may be told to leave: half of the slots, and as many as
	// it has happened to. Where most are slow, whatever is usual is soon that.
	credit int
	// overdue has those whose place can be had, the longest first. wanted has a
	// token if there may be one.
	overdue []*wait
	wanted  chan struct{}
	// leaving counts those who were told to, line has those who have.
	leaving int
	line    []*attempt[K, V]
	changed sync.Cond
}

func newPlaces[K, V any](limit int) *places[K, V] {
	p := &places[K, V]{credit: max(1, limit/2), wanted: make(chan struct{}, 1)}
	p.changed.L = &p.mu
	return p
}

// begin begins to wait.
func (p *places[K, V]) begin(d time.Duration, cancel context.CancelCauseFunc) *wait {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &wait{begun: time.Now(), least: d, cancel: cancel}
	w.timer = time.AfterFunc(d, func() { p.look(w) })
	return w
}

// look makes the place one that can be had, if it is time.
func (p *places[K, V]) look(w *wait) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.stage == waiting && p.due(w) {
		w.stage = overdue
		p.overdue = append(p.overdue, w)
		p.offer()
	}
}

// due reports whether it is time, and looks again if not.
func (p *places[K, V]) due(w *wait) bool {
	patience := max(w.least, slower*p.usual)
	if p.usual == 0 {
		patience = unseen * w.least
	}
	left := patience - time.Since(w.begun)
	if left > 0 {
		w.timer.Reset(min(left, max(w.least/looks, time.Millisecond)))
	}
	return left <= 0
}

// offer wakes who waits for a place.
func (p *places[K, V]) offer() {
	select {
	case p.wanted <- struct{}{}:
	default:
	}
}

// take tells the one that is longest overdue to leave. It reports whether there
// was one.
func (p *places[K, V]) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.overdue) > 0 && p.credit > 0 {
		w := p.overdue[0]
		p.overdue = slices.Delete(p.overdue, 0, 1)
		if !p.due(w) { // by what is known now
			w.stage = waiting
			continue
		}
		w.stage = leaving
		p.credit--
		p.leaving++
		w.cancel(ErrPostponed)
		p.offerMore()
		return true
	}
	return false
}

// offerMore offers what is left.
func (p *places[K, V]) offerMore() {
	if len(p.overdue) > 0 {
		p.offer()
	}
}

// claim notes that it has happened. It reports whether the place may be kept,
// and it is kept for good then.
func (p *places[K, V]) claim(w *wait) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.stage == waiting || w.stage == overdue {
		took := max(time.Since(w.begun), 1)
		if p.usual == 0 {
			p.usual = took
		}
		p.usual += (took - p.usual) / inertia
		p.credit++
	}
	kept := p.settle(w)
	p.offerMore()
	return kept
}

// hold lets a place be kept of which something has come, if that is in time.
func (p *places[K, V]) hold(w *wait) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(w)
}

// close ends the wait with the work. It reports whether the place was kept; left
// follows if not.
func (p *places[K, V]) close(w *wait) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.settle(w)
	w.cancel(nil)
	return kept
}

func (p *places[K, V]) settle(w *wait) bool {
	w.timer.Stop()
	switch w.stage {
	case leaving:
		return false
	case overdue:
		at := slices.Index(p.overdue, w)
		p.overdue = slices.Delete(p.overdue, at, at+1)
	case waiting, settled:
	}
	w.stage = settled
	return true
}

// left notes that fn has returned where it was told to, and whether the attempt
// is to be made again.
func (p *places[K, V]) left(a *attempt[K, V], again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving--
	if again {
		p.line = append(p.line, a)
	}
	p.changed.Signal()
}

// next returns the next attempt that is to be made again, once all keys have had
// their first slot. nil: there is none, and none will come.
func (p *places[K, V]) next() *attempt[K, V] {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.line) == 0 && p.leaving > 0 {
		p.changed.Wait()
	}
	if len(p.line) == 0 {
		return nil
	}
	a := p.line[0]
	p.line[0], p.line = nil, p.line[1:]
	return a
}
