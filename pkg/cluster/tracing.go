package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// tracing reports the phases of net/http's transport to the call's trace, and tells an endless header by the bytes that
// came: net/http's own error for it has no type.
type tracing struct{ base http.RoundTripper }

// RoundTrip passes the request on.
func (r tracing) RoundTrip(req *http.Request) (*http.Response, error) {
	t := traceOf(req.Context())
	connected, header := false, headerMeter{}
	attempts := &attempts{onEnd: func(do func()) (stop func() bool) { return context.AfterFunc(req.Context(), do) }} //nolint:contextcheck // the call's own
	ctx := context.WithValue(req.Context(), attemptsKey{}, attempts)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Where a kept connection was cut, net/http connects anew.
		GetConn: func(string) { connected = false },
		GotConn: func(info httptrace.GotConnInfo) {
			connected = true
			header.begin(info.Conn)
			t.enter(PhaseSend)
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			t.phase.CompareAndSwap(int32(PhaseSend), int32(PhaseWait))
		},
		GotFirstResponseByte: func() { t.enter(PhaseBody) },
	})
	resp, err := r.base.RoundTrip(req.WithContext(ctx))
	if err == nil {
		return resp, nil
	}
	if !connected {
		t.enter(attempts.at())
	}
	if header.tooLarge() && !isTimeout(err) && !isReset(err) && req.Context().Err() == nil {
		err = fmt.Errorf("more than %d bytes of header: %w", maxHeaderBytes, errTooLarge)
	}
	if connected && t.at() == PhaseSend && header.ended() && !isTimeout(err) && !isReset(err) {
		err = fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err) // net/http's own error has no type
	}
	return nil, conceal(err, req)
}

// attempts are those of one call to connect. net/http connects in goroutines of its own, and may give the call another
// connection meanwhile; if that is cut it connects anew, beside what is still under way. Until the call has a connection, it
// waits either for the last of its attempts or, at the bound of connections, for others.
type attempts struct {
	onEnd func(do func()) (stop func() bool)
	last  atomic.Pointer[trace]
}

type attemptsKey struct{}

// begin returns the trace of another attempt.
func (a *attempts) begin() *trace {
	t := &trace{}
	a.last.Store(t)
	return t
}

// at is the phase that the last attempt is in.
func (a *attempts) at() Phase {
	if t := a.last.Load(); t != nil {
		return t.at()
	}
	return PhaseQueue
}

// connectFor ends the attempt to connect with the call that it was begun for, which net/http does not.
func connectFor(ctx context.Context, connect connectFunc) (net.Conn, error) {
	a, ok := ctx.Value(attemptsKey{}).(*attempts)
	if !ok {
		return connect(ctx)
	}
	ctx, cancel := context.WithCancel(withTrace(ctx, a.begin()))
	defer cancel()
	defer a.onEnd(cancel)()
	return connect(ctx)
}

// headerMeter measures what comes in on a connection since a call began on it.
type headerMeter struct {
	link   atomic.Pointer[link]
	before int64
}

func (m *headerMeter) begin(conn net.Conn) {
	if l := linkOf(conn); l != nil {
		m.before = l.received.Load()
		m.link.Store(l)
	}
}

func (m *headerMeter) tooLarge() bool {
	l := m.link.Load()
	return l != nil && l.received.Load()-m.before > maxHeaderBytes
}

// ended reports whether the server has ended the connection.
func (m *headerMeter) ended() bool {
	l := m.link.Load()
	return l != nil && l.ended.Load()
}
