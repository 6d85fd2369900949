package cluster

import (
	"context"
	"crypto/tls"
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
	tls    *tls.Config
	idle   atomic.Pointer[wireConn]
	closed atomic.Bool
}

// wireConn is one connection. It belongs to the call that took it, or to the idle slot.
type wireConn struct {
	net.Conn
	socket socket
	expiry *time.Timer
	reused bool
}

// RoundTrip sends the request on the idle connection, or on a new one if there is none or the trace asks for a fresh one.
// A kept connection that the server has closed is replaced. A request is sent a second time only if it is a GET that the
// other end has thrown away: where the connection ends in good order, the server may have seen it.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	t := traceOf(req.Context())
	if t.fresh {
		t.token = tokenExpiry(req.Header.Get("Authorization"))
		w.closeIdle()
	} else if conn := w.take(); conn != nil {
		resp, err := w.exchange(conn, req, t)
		if _, unseen := errors.AsType[*unseenError](err); !unseen || req.Method != http.MethodGet {
			return resp, conceal(err, req)
		}
	}
	conn, err := w.open(req.Context(), t)
	if err != nil {
		return nil, err
	}
	resp, err := w.exchange(conn, req, t)
	return resp, conceal(err, req)
}

// unseenError marks a kept connection that was reset before a byte of the answer came.
type unseenError struct{ cause error }

func (e *unseenError) Error() string { return e.cause.Error() }
func (e *unseenError) Unwrap() error { return e.cause }

func (w *wire) open(ctx context.Context, t *trace) (*wireConn, error) {
	conn, err := w.connect(ctx, w.tls)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: conn, socket: newSocket(t.socket)}, nil
}

// exchange sends one request and reads its answer. The connection is kept if it can be used again, else closed.
func (w *wire) exchange(conn *wireConn, req *http.Request, t *trace) (*http.Response, error) {
	ctx := req.Context()
	stop := context.AfterFunc(ctx, conn.interrupt)
	resp, reusable, err := conn.roundTrip(req, t)
	if !stop() {
		reusable = false
		if err != nil {
			err = context.Cause(ctx)
		}
	}
	if err != nil || !reusable {
		_ = conn.Close() // the answer is read, or the error says why not
	} else {
		w.keep(conn)
	}
	return resp, err
}

// interrupt makes all reading and writing fail.
func (c *wireConn) interrupt() { _ = c.SetDeadline(time.Unix(1, 0)) }

// unseen marks an error where the other end has thrown the request away.
func (c *wireConn) unseen(err error) error {
	if c.reused && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
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
	conn.expiry.Stop()
	if conn.socket.readable() {
		_ = conn.Close() // the end of the connection, or what nobody asked for
		return nil
	}
	return conn
}

func (w *wire) keep(conn *wireConn) {
	conn.reused = true
	if conn.expiry == nil {
		conn.expiry = time.AfterFunc(idleTimeout, func() { w.expire(conn) })
	} else {
		conn.expiry.Reset(idleTimeout)
	}
	if !w.idle.CompareAndSwap(nil, conn) {
		conn.expiry.Stop()
		_ = conn.Close() // another call has filled the slot
		return
	}
	if w.closed.Load() {
		w.closeIdle()
	}
}

func (w *wire) expire(conn *wireConn) {
	if w.idle.CompareAndSwap(conn, nil) {
		_ = conn.Close() // nobody uses it
	}
}

func (w *wire) closeIdle() {
	if conn := w.idle.Swap(nil); conn != nil {
		conn.expiry.Stop()
		_ = conn.Close() // nobody uses it
	}
}

// close closes the idle connection now, and those in use when their calls end.
func (w *wire) close() {
	w.closed.Store(true)
	w.closeIdle()
}
