package cluster

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// idleTimeout is how long a connection is kept without a call.
const idleTimeout = 90 * time.Second

// wire is the http.RoundTripper of probes: HTTP/1.1 on one connection that is kept open between calls. It runs in the
// goroutine of its caller and holds neither goroutines nor buffers between calls, which is what makes a warm probe cost
// little more than its system calls, and ten thousand idle clusters little more than their sockets. It reads an answer
// whole, at most maxProbeBytes of it. Calls at the same time are safe, but each then makes a connection of its own.
type wire struct {
	connector
	idle   atomic.Pointer[wireConn]
	closed atomic.Bool
}

// wireConn is one connection. It belongs to the call that took it, or to the idle slot.
type wireConn struct {
	net.Conn
	socket socket
	reused bool
	made   time.Time
	// timer ends the connection's time, which is over at ends after made: in a call that of the call, else that for which
	// it is kept.
	timer *time.Timer
	ends  atomic.Int64
	state atomic.Int32
	// interrupt makes all reading and writing fail.
	interrupt func()
}

// The states of a connection, which say what it means that its time is over.
const (
	inCall int32 = iota
	isIdle
	timedOut
)

// RoundTrip sends the request on the idle connection, or on a new one if there is none or the trace asks for a fresh one.
// A kept connection that the server has closed is replaced. A request is sent a second time only if it is a GET that the
// other end has thrown away: where the connection ends in good order, the server may have seen it.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	return w.send(req.Context(), outgoing{made: req}, traceOf(req.Context()))
}

// send is RoundTrip with context and trace apart from the request, which may not have been made.
func (w *wire) send(ctx context.Context, o outgoing, t *trace) (*http.Response, error) {
	if t.fresh {
		t.token = tokenExpiry(o.request().Header.Get("Authorization"))
		w.closeIdle()
	} else if conn := w.take(); conn != nil {
		resp, err := w.exchange(ctx, conn, o, t)
		if _, unseen := errors.AsType[*unseenError](err); !unseen || !o.harmless() {
			return resp, o.conceal(err)
		}
	}
	callCtx := ctx
	if !t.deadline.IsZero() {
		var cancel context.CancelFunc
		callCtx, cancel = context.WithDeadlineCause(ctx, t.deadline, errProbeTimeout)
		defer cancel()
	}
	conn, err := w.open(callCtx, t)
	if err != nil {
		return nil, err
	}
	resp, err := w.exchange(ctx, conn, o, t)
	return resp, o.conceal(err)
}

// unseenError marks a kept connection that was reset before a byte of the answer came.
type unseenError struct{ cause error }

func (e *unseenError) Error() string { return e.cause.Error() }
func (e *unseenError) Unwrap() error { return e.cause }

func (w *wire) open(ctx context.Context, t *trace) (*wireConn, error) {
	conn, err := w.connect(withTrace(ctx, t))
	if err != nil {
		return nil, err
	}
	c := &wireConn{Conn: conn, made: time.Now()}
	c.interrupt = func() { _ = c.SetDeadline(time.Unix(1, 0)) } // made once, for every call needs it
	c.socket.init(t.socket)
	return c, nil
}

// exchange sends one request and reads its answer. The connection is kept if it can be used again, else closed.
func (w *wire) exchange(ctx context.Context, conn *wireConn, o outgoing, t *trace) (*http.Response, error) {
	conn.begin(w, t.deadline)
	stop := context.AfterFunc(ctx, conn.interrupt)
	resp, reusable, err := conn.roundTrip(o, t)
	left, late := !stop(), conn.state.Load() == timedOut
	switch {
	case err != nil && left:
		err = context.Cause(ctx)
	case err != nil && late:
		err = errProbeTimeout
	}
	if err != nil || !reusable || left || late {
		conn.end() // the answer is read, or the error says why not
	} else {
		w.keep(conn)
	}
	return resp, err
}

// begin gives the connection the time until the deadline, or as long as the call's context lasts if there is none.
func (c *wireConn) begin(w *wire, deadline time.Time) {
	left := time.Hour
	if !deadline.IsZero() {
		left = time.Until(deadline)
	}
	c.endIn(w, left)
	c.state.Store(inCall)
}

// endIn sets the time after which the connection's time is over.
func (c *wireConn) endIn(w *wire, left time.Duration) {
	c.ends.Store(int64(time.Since(c.made) + left))
	if c.timer == nil {
		c.timer = time.AfterFunc(left, func() { w.timeOver(c) })
		return
	}
	c.timer.Reset(left)
}

// end closes the connection.
func (c *wireConn) end() {
	if c.timer != nil {
		c.timer.Stop()
	}
	_ = c.Close() // nobody uses it any more
}

// timeOver ends a call that takes too long, or a connection that was idle too long. The timer may have fired for a time
// that has been prolonged since.
func (w *wire) timeOver(conn *wireConn) {
	if !conn.over() {
		return
	}
	if conn.state.CompareAndSwap(inCall, timedOut) {
		if !conn.over() { // a call has begun meanwhile
			conn.state.Store(inCall)
			return
		}
		conn.interrupt()
		return
	}
	if w.idle.CompareAndSwap(conn, nil) {
		conn.end()
	}
}

// over reports whether the connection's time is over.
func (c *wireConn) over() bool { return int64(time.Since(c.made)) >= c.ends.Load() }

// unseen marks an error where the other end has thrown the request away, or where the connection was closed on our side
// before it: client-go closes those of a client certificate that its plugin has renewed.
func (c *wireConn) unseen(err error) error {
	if c.reused && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)) {
		return &unseenError{err}
	}
	return err
}

// take returns the idle connection if the server has not closed it.
func (w *wire) take() *wireConn {
	conn := w.idle.Swap(nil)
	if conn == nil {
		return nil
	}
	if conn.socket.readable() {
		conn.end() // what came is the end of the connection, or what nobody asked for
		return nil
	}
	return conn
}

func (w *wire) keep(conn *wireConn) {
	conn.reused = true
	if !conn.state.CompareAndSwap(inCall, isIdle) {
		conn.end() // its time was over just now
		return
	}
	conn.endIn(w, idleTimeout)
	if !w.idle.CompareAndSwap(nil, conn) {
		conn.end() // another call has filled the slot
		return
	}
	if w.closed.Load() {
		w.closeIdle()
	}
}

func (w *wire) closeIdle() {
	if conn := w.idle.Swap(nil); conn != nil {
		conn.end()
	}
}

// close closes the idle connection now, and those in use when their calls end.
func (w *wire) close() {
	w.closed.Store(true)
	w.closeIdle()
}
