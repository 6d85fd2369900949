package server

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

// teller tells all watches of what changes, in one goroutine: to wake a goroutine for each would cost as much again as the
// sending. It never waits for one of them; see tail.
type teller struct {
	hub        *broadcast.Hub[*health.Record]
	deliveries deliveries
	sent       prometheus.Counter

	mu    sync.Mutex
	tails []*tail // those of a connection beside each other, so that it writes them together
	stop  chan struct{}
	done  chan struct{} // closed when the goroutine that stop ends has ended

	room  chan struct{} // has a token when freed has a tail
	about sync.Mutex
	freed []*tail // may go on
}

func newTeller(hub *broadcast.Hub[*health.Record], sent prometheus.Counter) *teller {
	return &teller{hub: hub, sent: sent, room: make(chan struct{}, 1)}
}

// add begins to tell a watch of changes; remove must be called.
func (r *teller) add(t *tail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	place := len(r.tails)
	for i, other := range slices.Backward(r.tails) {
		if other.peer == t.peer {
			place = i + 1
			break
		}
	}
	r.tails = slices.Insert(r.tails, place, t)
	if len(r.tails) == 1 {
		r.stop, r.done = make(chan struct{}), make(chan struct{})
		go r.run(r.stop, r.done)
	}
	r.goOn(t) // with what has changed since it looked
}

// remove ends it. Nothing is sent after that.
func (r *teller) remove(t *tail) {
	if done := r.drop(t); done != nil {
		<-done
	}
}

// drop returns what to wait for if nobody is left to be told of anything.
func (r *teller) drop(t *tail) (done <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.over = true
	same := func(other *tail) bool { return other == t }
	r.tails = slices.DeleteFunc(r.tails, same)
	r.about.Lock()
	t.dropped = true
	r.freed = slices.DeleteFunc(r.freed, same)
	r.about.Unlock()
	if len(r.tails) > 0 {
		return nil
	}
	close(r.stop)
	r.deliveries.forget()
	return r.done
}

// goOn has a tail looked at even if nothing changes.
func (r *teller) goOn(t *tail) {
	r.about.Lock()
	if !t.dropped {
		r.freed = append(r.freed, t)
	}
	r.about.Unlock()
	select {
	case r.room <- struct{}{}:
	default:
	}
}

func (r *teller) run(stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	listener := r.hub.Listen()
	defer listener.Stop()
	for {
		select {
		case <-listener.News():
			listener.News() // what changes from here on is not missed
			r.advanceAll()
		case <-r.room:
			r.about.Lock()
			freed := r.freed
			r.freed = nil
			r.about.Unlock()
			r.advance(freed)
		case <-stop:
			return
		}
	}
}

// advanceAll sends all what they have not been told of.
func (r *teller) advanceAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(r.tails)
}

// advance sends some of them what they have not been told of.
func (r *teller) advance(tails []*tail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(tails)
}

// send is called with the lock held.
func (r *teller) send(tails []*tail) {
	for _, t := range tails {
		t.advance(time.Now())
	}
}
