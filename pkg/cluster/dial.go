package cluster

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"time"

	"golang.org/x/sync/semaphore"
)

// Bounds of making a connection. They are the cluster's part of a call's time; the call's own deadline may be shorter.
const (
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 3 * time.Second
)

// dialFunc makes a TCP connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialTCP resolves and connects within dialTimeout, and reports both steps to the call's trace.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	t := traceOf(ctx)
	t.enter(PhaseDNS)
	start := time.Now()
	var resolved time.Duration
	dialCtx := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			resolved = time.Since(start)
			if info.Err == nil {
				t.enter(PhaseConnect)
			}
		},
	})
	if host, _, err := net.SplitHostPort(address); err == nil && net.ParseIP(host) != nil {
		t.enter(PhaseConnect)
	}
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	conn, err := dialer.DialContext(dialCtx, network, address)
	if t.fresh {
		reached := t.at() == PhaseConnect
		t.dns = step{began: true, done: reached, took: resolved}
		t.connect = step{began: reached, done: err == nil, took: time.Since(start) - resolved}
	}
	return conn, err
}

// connector makes connections to one API server: TCP, then TLS unless the server speaks plain HTTP.
type connector struct {
	dial    dialFunc
	address string
	// handshakes bounds TLS handshakes over all clusters, so that a fleet that comes back does not take every core.
	handshakes *semaphore.Weighted
}

// connect returns a connection of the given TLS configuration, nil for plain HTTP.
func (c *connector) connect(ctx context.Context, config *tls.Config) (net.Conn, error) {
	raw, err := c.dial(ctx, "tcp", c.address)
	if err != nil || config == nil {
		return raw, err
	}
	conn, err := c.handshake(ctx, raw, config)
	if err != nil {
		_ = raw.Close() // the handshake's error says more
		return nil, err
	}
	return conn, nil
}

func (c *connector) handshake(ctx context.Context, raw net.Conn, config *tls.Config) (*tls.Conn, error) {
	t := traceOf(ctx)
	t.enter(PhaseQueue)
	if err := c.handshakes.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer c.handshakes.Release(1)
	t.enter(PhaseTLS)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if t.fresh {
		config = freshConfig(config, t)
	}
	conn := tls.Client(raw, config)
	if err := t.time(&t.handshake, func() error { return conn.HandshakeContext(ctx) }); err != nil {
		return nil, err
	}
	if t.fresh {
		state := conn.ConnectionState()
		t.tls = &state
	}
	return conn, nil
}
