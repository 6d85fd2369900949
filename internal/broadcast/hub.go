package broadcast

import (
	"container/list"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// maxTombstones is how many removed keys a hub remembers. Who has not heard of one that is forgotten has to begin anew.
const maxTombstones = 10_000

// Hub holds the latest value of each key. It is safe for concurrent use. Values are shared with all subscribers and must
// not change.
type Hub[T any] struct {
	epoch         uint64
	maxTombstones int
	closed        atomic.Bool
	waiting       waiters

	mu       sync.RWMutex
	revision uint64 // of the latest change
	floor    uint64 // of the latest tombstone that is forgotten
	nodes    map[string]*node[T]
	order    list.List // of all nodes, by revision
	removed  list.List // of the tombstones, by revision
	slots    slots
}

// node is a key with its latest value, or a tombstone.
type node[T any] struct {
	key      string
	value    T
	revision uint64        // of the latest change
	born     uint64        // of the first change since the hub knows the key
	slot     int           // no other node has it
	place    *list.Element // in the hub's order; nil when the hub has forgotten the key
	grave    *list.Element // among the tombstones; nil while the key has a value
}

// New returns an empty hub. Tokens of other hubs, such as that of the process before, mean nothing to it.
func New[T any]() *Hub[T] {
	return &Hub[T]{epoch: newEpoch(), maxTombstones: maxTombstones, nodes: make(map[string]*node[T])}
}

// newEpoch returns a random number that is not 0.
func newEpoch() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.BigEndian.Uint64(b[:]) | 1
}

// Publish makes value the latest of the key and returns the change's revision. Revisions ascend over all keys.
func (h *Hub[T]) Publish(key string, value T) (revision uint64) {
	h.mu.Lock()
	n := h.nodes[key]
	if n == nil {
		n = &node[T]{key: key, born: h.revision + 1, slot: h.slots.take()}
		h.nodes[key] = n
		n.place = h.order.PushBack(n)
	}
	if n.grave != nil {
		h.removed.Remove(n.grave)
		n.grave = nil
	}
	n.value = value
	revision = h.touch(n)
	h.mu.Unlock()
	h.waiting.wake() // without the lock, for there may be thousands of them
	return revision
}

// Refresh replaces the value of a key that has one. It is no change: nobody is told, and who comes to know the key later gets
// it.
func (h *Hub[T]) Refresh(key string, value T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.nodes[key]; n != nil && n.grave == nil {
		n.value = value
	}
}

// Remove forgets the key's value. Subscribers that know the key are told.
func (h *Hub[T]) Remove(key string) {
	h.mu.Lock()
	n := h.nodes[key]
	if n == nil || n.grave != nil {
		h.mu.Unlock()
		return
	}
	var none T
	n.value = none
	n.grave = h.removed.PushBack(n)
	h.touch(n)
	if h.removed.Len() > h.maxTombstones {
		h.forget(nodeAt[T](h.removed.Front()))
	}
	h.mu.Unlock()
	h.waiting.wake() // without the lock, for there may be thousands of them
}

// touch makes the node the one that has changed last.
func (h *Hub[T]) touch(n *node[T]) uint64 {
	h.revision++
	n.revision = h.revision
	h.order.MoveToBack(n.place)
	return n.revision
}

// forget drops a tombstone.
func (h *Hub[T]) forget(n *node[T]) {
	h.floor = n.revision
	h.removed.Remove(n.grave)
	h.order.Remove(n.place)
	n.place = nil
	delete(h.nodes, n.key)
	h.slots.free(n.slot)
}

// Latest returns the key's value, and whether it has one.
func (h *Hub[T]) Latest(key string) (value T, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := h.nodes[key]
	if n == nil || n.grave != nil {
		return value, false
	}
	return n.value, true
}

// Listener is told that there are changes, but not which: for who polls many subscriptions. It is for one goroutine.
type Listener struct {
	all    *waiters
	waiter waiter
}

// Listen returns a listener, which must be stopped.
func (h *Hub[T]) Listen() *Listener { return &Listener{all: &h.waiting, waiter: newWaiter()} }

// News returns the channel that gets a token with the next change, or with a Close: with one, however many there are until
// News is called again.
func (l *Listener) News() <-chan struct{} {
	l.all.note(&l.waiter)
	return l.waiter.news
}

// Stop ends the listening.
func (l *Listener) Stop() { l.all.forget(&l.waiter) }

// Close ends all subscriptions with ErrClosed. Values can still be published and read.
func (h *Hub[T]) Close() {
	h.closed.Store(true)
	h.waiting.wake()
}

func nodeAt[T any](e *list.Element) *node[T] {
	return e.Value.(*node[T]) //nolint:forcetypeassert // nothing else is in the lists
}

// slots gives out small numbers.
type slots struct {
	next     int
	returned []int
}

func (s *slots) take() int {
	if last := len(s.returned) - 1; last >= 0 {
		slot := s.returned[last]
		s.returned = s.returned[:last]
		return slot
	}
	s.next++
	return s.next - 1
}

func (s *slots) free(slot int) { s.returned = append(s.returned, slot) }
