package cluster

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"net/netip"
	"syscall"
	"time"
)

// Bounds of making a connection. They are the cluster's part of a call's time; the call's own deadline may be shorter.
const (
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 3 * time.Second
)

// dialFunc makes a TCP connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// timed makes dial take at most dialTimeout, and report its steps to the call's trace.
func timed(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		t := traceOf(ctx)
		start := time.Now()
		t.enter(PhaseConnect)
		if !isAddress(address) {
			t.enter(PhaseDNS)
			t.dns.began = true
		}
		dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		resolveCtx, limit := withOwnLimit(dialCtx)
		conn, err := dial(t.resolving(resolveCtx, start), network, address)
		err = limit.explain(err)
		if err == nil && t.at() == PhaseDNS { // a dialer that does not tell
			t.dns.done = true
			t.enter(PhaseConnect)
		}
		if t.at() == PhaseConnect {
			t.connect = step{began: true, done: err == nil, took: time.Since(start) - t.dns.took}
		} else {
			t.dns.took = time.Since(start)
		}
		t.socket, _ = conn.(syscall.Conn)
		return conn, err
	}
}

// resolving makes the trace see when the name is resolved.
func (t *trace) resolving(ctx context.Context, start time.Time) context.Context {
	if !t.dns.began {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			if info.Err == nil {
				t.dns.done, t.dns.took = true, time.Since(start)
				t.enter(PhaseConnect)
			}
		},
	})
}

func isAddress(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

// dialTCP is how servers are dialled unless the configuration says it.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: 30 * time.Second, Resolver: newResolver()}
	return dialer.DialContext(ctx, network, address)
}

// connectFunc makes a connection to one API server.
type connectFunc func(ctx context.Context) (net.Conn, error)

// connector makes connections to one API server: TCP, then TLS unless the server speaks plain HTTP.
type connector struct {
	dial    dialFunc
	address string
	secure  *security // nil for plain HTTP
	turns   *handshakeTurns
}

// connect returns a new connection.
func (c *connector) connect(ctx context.Context) (net.Conn, error) {
	raw, err := c.dial(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: raw}
	if c.secure == nil {
		return l, nil
	}
	conn, err := c.handshake(ctx, l)
	if err != nil {
		_ = raw.Close() // the handshake's error says more
		return nil, err
	}
	return conn, nil
}

func (c *connector) handshake(ctx context.Context, l *link) (*tls.Conn, error) {
	t := traceOf(ctx)
	t.enter(PhaseTLS)
	if err := c.turns.take(ctx, t); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	l.turn = &handshakeTurn{turns: c.turns, ctx: ctx, trace: t, held: true}
	defer func() {
		l.turn.giveBack()
		l.turn = nil
	}()
	before, start := t.queued, time.Now()
	t.handshake.began = true
	p := &proof{} // and not the trace: the connection keeps it
	conn := tls.Client(l, c.secure.config(t.fresh, p))
	err := conn.HandshakeContext(ctx)
	t.handshake.took, t.handshake.done = time.Since(start)-(t.queued-before), err == nil
	if t.fresh {
		t.proof = *p
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}
