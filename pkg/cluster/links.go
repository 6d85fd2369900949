package cluster

import (
	"context"
	"net"
	"sync"

	"golang.org/x/sync/semaphore"
)

// links are the open connections of one transport. There are MaxReads at most: net/http counts one as gone before it has
// closed it, and would begin the next one beside it.
type links struct {
	places *semaphore.Weighted
	mu     sync.Mutex
	open   map[*link]struct{}
	closed bool
}

func newLinks() *links {
	return &links{places: semaphore.NewWeighted(MaxReads), open: map[*link]struct{}{}}
}

// connect makes a connection when there is a place for it, unless there may be none any more.
func (s *links) connect(ctx context.Context, connect connectFunc) (net.Conn, error) {
	if s.places.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	leave := sync.OnceFunc(func() { s.places.Release(1) })
	conn, err := connect(ctx)
	if err != nil {
		leave()
		return nil, err
	}
	l := linkOf(conn)
	l.onClosed = func() {
		s.remove(l)
		leave()
	}
	if !s.add(l) {
		_ = l.Close() // it was made too late
		return nil, net.ErrClosed
	}
	return conn, nil
}

// add notes a connection and reports whether there may be one.
func (s *links) add(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[l] = struct{}{}
	return true
}

func (s *links) remove(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, l)
}

// close closes all connections, and those that are made later.
func (s *links) close() {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for l := range open {
		_ = l.Close() // whoever still reads learns of it
	}
}
