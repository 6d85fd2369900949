package cluster

import (
	"crypto/tls"
	"net"
	"sync/atomic"
)

// link is a connection to a server, below TLS. It counts what comes in, and takes turns while there is a handshake on it.
type link struct {
	net.Conn
	received atomic.Int64
	ended    atomic.Bool    // nothing more comes in
	turn     *handshakeTurn // nil but in a handshake
	onClosed func()         // nil if nobody has to know
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

// Close closes the connection and tells so.
func (l *link) Close() error {
	err := l.Conn.Close()
	if l.onClosed != nil {
		l.onClosed()
	}
	return err
}
