package server

import (
	"sync"
	"time"

	"google.golang.org/grpc/mem"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

// maxInFlight bounds what is sent to a watch and not yet written: with less than the 64 KiB that gRPC keeps of a stream,
// sending never waits. A single event may be larger.
const maxInFlight = 32 << 10

// tail is a watch: what it was sent and what it is to be sent. Until it is added to the teller it belongs to its call, which
// sends what was known when it began; from then on to the teller.
type tail struct {
	stream       *boundedStream
	subscription *broadcast.Subscription[*health.Record]
	peer         string
	ended        chan error // gets why there are no more events

	over    bool
	dropped bool                              // the teller's about guards it
	pending []broadcast.Event[*health.Record] // taken and not sent

	teller   *teller
	mu       sync.Mutex
	inFlight int
	waiting  bool // for room
}

// advance sends what there is, as far as there is room.
func (t *tail) advance(now time.Time) {
	for !t.over {
		more := true // behind what is pending
		if len(t.pending) == 0 {
			events, err := t.subscription.Poll(watchBatch)
			if err != nil {
				t.finish(err)
				return
			}
			t.pending, more = events, len(events) == watchBatch
		}
		for len(t.pending) > 0 {
			sent, err := t.send(t.pending[0], now)
			if err != nil {
				t.finish(err)
				return
			}
			if !sent {
				return
			}
			t.pending = t.pending[1:]
		}
		if !more {
			return
		}
	}
}

// send sends an event if there is room for it.
func (t *tail) send(event broadcast.Event[*health.Record], now time.Time) (sent bool, err error) {
	d, err := t.teller.deliveries.get(event, t.subscription.Token(event.Revision), now)
	if err != nil || !t.reserve(len(d.data), now) {
		return false, err
	}
	t.teller.sent.Inc()
	return true, t.stream.sendPrepared(&parcel{delivery: d, tail: t})
}

func (t *tail) finish(err error) {
	t.over = true
	t.ended <- err
}

// reserve reports whether there is room for so many bytes. If not, the teller is told when there is.
func (t *tail) reserve(size int, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inFlight > 0 && t.inFlight+size > maxInFlight {
		t.waiting = true
		return false
	}
	if t.inFlight == 0 {
		t.stream.sendsSince(now)
	}
	t.inFlight += size
	return true
}

// count notes what is sent by the call itself, which may wait.
func (t *tail) count(size int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight += size
}

// handOver bounds in time, from now on, what was sent and is not written yet.
func (t *tail) handOver() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inFlight > 0 {
		t.stream.sendsSince(time.Now())
	}
}

// written notes that a parcel's bytes were written, or will not be.
func (t *tail) written(size int) {
	t.mu.Lock()
	t.inFlight -= size
	if t.inFlight == 0 {
		t.stream.sendsNothing()
	} else {
		t.stream.sendsSince(time.Now()) // there is progress
	}
	freed := t.waiting && t.inFlight <= maxInFlight/2
	t.waiting = t.waiting && !freed
	t.mu.Unlock()
	if freed {
		t.teller.goOn(t)
	}
}

// parcel is a delivery on its way to one watch.
type parcel struct {
	*delivery

	tail *tail
}

func (p *parcel) buffers() mem.BufferSlice {
	return mem.BufferSlice{mem.NewBuffer(&p.data, receipt{p.tail})}
}

// receipt is what gRPC gives a parcel's bytes back to.
type receipt struct{ tail *tail }

// Put is called when they were written, or will not be.
func (r receipt) Put(data *[]byte) { r.tail.written(len(*data)) }

// Get makes a receipt a pool of buffers, which is never asked for one.
func (receipt) Get(length int) *[]byte {
	data := make([]byte, length)
	return &data
}
