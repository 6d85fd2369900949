package cluster

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
)

// link is a connection to a server, below TLS. It counts what comes in, and takes turns while there is a handshake on it.
type link struct {
	net.Conn
	received atomic.Int64
	ended    atomic.Bool    // nothing more comes in
	turn     *handshakeTurn // nil but in a handshake
	of       *links         // nil if nobody has to know
}

// linkOf returns the link under a connection that a connector made.
func linkOf(conn net.Conn) *link {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	l, _ := conn.(*link)
	return l
}

// Read counts, and in a handshake gives the turn back until the server has spoken.
func (l *link) Read(p []byte) (int, error) {
	turn := l.turn
	if turn != nil {
		turn.giveBack()
	}
	n, err := l.Conn.Read(p)
	l.received.Add(int64(n))
	if err != nil {
		l.ended.Store(true)
	}
	if turn != nil && err == nil {
		err = turn.takeAgain()
	}
	return n, err
}

// Close closes the connection and forgets it.
func (l *link) Close() error {
	if l.of != nil {
		l.of.remove(l)
	}
	return l.Conn.Close()
}

// links are the open connections of one transport.
type links struct {
	mu     sync.Mutex
	open   map[*link]struct{}
	closed bool
}

// add notes a connection; if there may be none any more, it is closed and the error says so.
func (s *links) add(l *link) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = l.Close() // it was made too late
		return net.ErrClosed
	}
	if s.open == nil {
		s.open = map[*link]struct{}{}
	}
	s.open[l] = struct{}{}
	l.of = s
	return nil
}

func (s *links) remove(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, l)
}

// close closes all connections, and those that are added later.
func (s *links) close() {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for l := range open {
		_ = l.Conn.Close() // whoever still reads learns of it
	}
}
