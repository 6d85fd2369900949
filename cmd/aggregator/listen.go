package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/net/netutil"
)

// Bounds of a listener's connections.
const (
	maxConnections          = 2048
	maxConnectionsPerSource = 64
)

// listen returns a bounded listener. Unless it is for TLS, the address that the system has bound must be a loopback one:
// what a name such as localhost stands for is decided outside this program.
func listen(ctx context.Context, flag, address string, secure bool) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s: the address is in use", flag, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if bound := listener.Addr(); !secure && !isLoopbackAddr(bound) {
		_ = listener.Close() // nobody was served
		return nil, fmt.Errorf("%s %s: it stands for %s here, and plaintext is served on loopback only: give --tls-cert and --tls-key, or an address such as 127.0.0.1:7443", flag, address, bound)
	}
	return netutil.LimitListener(&sourceLimit{Listener: listener, open: make(map[string]int)}, maxConnections), nil
}

func isLoopbackAddr(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// sourceLimit closes connections of a source that has maxConnectionsPerSource already.
type sourceLimit struct {
	net.Listener

	mu   sync.Mutex
	open map[string]int
}

// Accept returns the next connection of a source that may have one more.
func (l *sourceLimit) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		source, _, err := net.SplitHostPort(conn.RemoteAddr().String())
		if err != nil {
			source = conn.RemoteAddr().String()
		}
		if l.admit(source) {
			return &countedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(source) })}, nil
		}
		_ = conn.Close() // nothing was promised
	}
}

func (l *sourceLimit) admit(source string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[source] >= maxConnectionsPerSource {
		return false
	}
	l.open[source]++
	return true
}

func (l *sourceLimit) leave(source string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[source]--; l.open[source] == 0 {
		delete(l.open, source)
	}
}

type countedConn struct {
	net.Conn

	leave func()
}

// Close closes the connection and makes room for another.
func (c *countedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
