package broadcast

import (
	"container/list"
	"context"
	"errors"
)

var (
	// ErrClosed ends the subscriptions of a hub that was closed.
	ErrClosed = errors.New("the hub is closed")
	// ErrBehind ends a subscription that has missed removals which the hub has forgotten. Its tokens lead to a reset.
	ErrBehind = errors.New("the subscriber is too far behind")
)

// Event is a change of one key. It is the same for all who get it.
type Event[T any] struct {
	Key string
	// Value is the latest one, zero where Removed.
	Value T
	// Removed says that the key has no value any more, or none that matches. It comes only where the key was shown, or may
	// have been before a resumption.
	Removed bool
	// Revision is the place in the order of changes. It ascends.
	Revision uint64
}

// Subscription is one subscriber's place among the events. It must not be used by two goroutines at a time. It needs no
// end: one that is not read any more costs nothing.
type Subscription[T any] struct {
	hub    *Hub[T]
	match  func(key string, value T) bool
	reset  bool
	base   uint64   // what was removed until then does not concern the subscriber
	cursor uint64   // the revision until which everything was seen
	last   *node[T] // the node that the cursor came from; it may have moved on
	waiter waiter
	events []Event[T] // what Next has returned
	shown  bitset     // the slots of those that the subscriber knows

	awaited bitset // the slots of those still to be seen before it is synced
	left    int    // how many these are
}

// Subscribe returns a subscription of the keys whose value matches, all if match is nil. match is called with the hub
// locked: it must be quick, give the same answer each time, and not use the hub.
//
// With the zero token it begins with all values there are, in the order of their changes. With a token of this hub it
// begins with what has changed behind it. With one that means nothing to the hub, or nothing any more, it is Reset.
func (h *Hub[T]) Subscribe(match func(key string, value T) bool, from Token) *Subscription[T] {
	if match == nil {
		match = func(string, T) bool { return true }
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := &Subscription[T]{hub: h, match: match, base: h.revision, waiter: newWaiter()}
	resumes := from.epoch == h.epoch && from.revision >= h.floor && from.revision <= h.revision
	if resumes {
		s.base, s.cursor = from.revision, from.revision
	}
	s.reset = !resumes && from != Token{}
	for e := h.order.Front(); e != nil; e = e.Next() {
		s.expect(nodeAt[T](e))
	}
	return s
}

// expect prepares for a node that is there when the subscription begins.
func (s *Subscription[T]) expect(n *node[T]) {
	matches := s.matches(n)
	changed := n.revision > s.cursor
	// What has changed since the cursor may have matched before.
	known := n.born <= s.cursor && (changed || matches)
	if known {
		s.shown.put(n.slot, true)
	}
	if changed && (matches || known) {
		s.awaited.put(n.slot, true)
		s.left++
	}
}

// Reset reports that the token meant nothing to the hub: whatever the subscriber knew is void, and all values follow.
func (s *Subscription[T]) Reset() bool { return s.reset }

// Synced reports whether Next has returned the latest of everything that was known when the subscription began.
func (s *Subscription[T]) Synced() bool { return s.left == 0 }

// Token returns the place behind the event of that revision.
func (s *Subscription[T]) Token(revision uint64) Token {
	return Token{epoch: s.hub.epoch, revision: revision}
}

// Position returns the place behind everything that Next has returned or passed over.
func (s *Subscription[T]) Position() Token { return s.Token(s.cursor) }

// Next returns the next events, at most that many, in the order of their revisions. It waits if there are none. It returns
// none when the subscription has become Synced without any. They are valid until the next call. It fails with the cause of
// ctx, ErrClosed or ErrBehind.
func (s *Subscription[T]) Next(ctx context.Context, most int) ([]Event[T], error) {
	for {
		if ctx.Err() != nil {
			s.hub.waiting.forget(&s.waiter)
			return nil, context.Cause(ctx)
		}
		synced := s.Synced()
		events, err := s.take(max(1, most), &s.waiter)
		if err != nil || len(events) > 0 || s.Synced() != synced {
			return events, err
		}
		s.waiter.wait(ctx)
	}
}

// Poll is Next, but where that waits it returns none.
func (s *Subscription[T]) Poll(most int) ([]Event[T], error) { return s.take(max(1, most), nil) }

// take returns the events that there are. Where there are none, the waiter, if any, is told of the next.
func (s *Subscription[T]) take(most int, w *waiter) ([]Event[T], error) {
	if s.hub.closed.Load() {
		return nil, ErrClosed
	}
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	if floor := s.hub.floor; s.cursor < floor && s.base < floor {
		return nil, ErrBehind
	}
	clear(s.events)
	s.events = s.events[:0]
	for e := s.behindCursor(); e != nil && len(s.events) < most; e = e.Next() {
		n := nodeAt[T](e)
		if event, concerned := s.see(n); concerned {
			s.events = append(s.events, event)
		}
		s.cursor, s.last = n.revision, n
	}
	if w == nil || len(s.events) > 0 {
		return s.events, nil
	}
	s.hub.waiting.note(w)    // the lock is held: the next change finds it there
	if s.hub.closed.Load() { // and so does a Close, unless it came just before
		return nil, ErrClosed
	}
	return nil, nil
}

// behindCursor returns the first place behind the cursor, nil if that is the end.
func (s *Subscription[T]) behindCursor() *list.Element {
	if s.last != nil && s.last.place != nil && s.last.revision == s.cursor {
		return s.last.place.Next()
	}
	order := &s.hub.order
	if first := order.Front(); first == nil || nodeAt[T](first).revision > s.cursor {
		return first
	}
	var place *list.Element
	for e := order.Back(); nodeAt[T](e).revision > s.cursor; e = e.Prev() {
		place = e
	}
	return place
}

// see returns what a node is to the subscriber, and whether it is anything.
func (s *Subscription[T]) see(n *node[T]) (Event[T], bool) {
	matches := s.matches(n)
	shown := s.shown.put(n.slot, matches)
	if s.left > 0 && s.awaited.put(n.slot, false) {
		s.left--
	}
	if s.left == 0 {
		s.awaited = nil
	}
	if !matches && !shown {
		return Event[T]{}, false
	}
	event := Event[T]{Key: n.key, Removed: !matches, Revision: n.revision}
	if matches {
		event.Value = n.value
	}
	return event, true
}

func (s *Subscription[T]) matches(n *node[T]) bool { return n.grave == nil && s.match(n.key, n.value) }
