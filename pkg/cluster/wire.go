package cluster

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a probe's connection and answers.
const (
	idleTimeout    = 90 * time.Second
	maxHeaderBytes = 64 << 10
	maxProbeBytes  = 1 << 20
)

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
	expiry *time.Timer
	reused bool
}

var (
	wireReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
	wireWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}
)

// RoundTrip sends the request on the idle connection, or on a new one if there is none or the trace asks for a fresh one.
// A kept connection that turns out to have been closed by the server before it answered is replaced once.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	t := traceOf(req.Context())
	if t.fresh {
		t.token = tokenExpiry(req.Header.Get("Authorization"))
		w.closeIdle()
	} else if conn := w.take(); conn != nil {
		resp, err := w.exchange(conn, req, t)
		if err == nil || !isStale(err) {
			return resp, err
		}
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
	conn, err := w.open(req.Context())
	if err != nil {
		return nil, err
	}
	return w.exchange(conn, req, t)
}

// staleError marks a kept connection that ended before a byte of the answer came.
type staleError struct{ cause error }

func (e *staleError) Error() string { return e.cause.Error() }
func (e *staleError) Unwrap() error { return e.cause }

func isStale(err error) bool {
	_, ok := errors.AsType[*staleError](err)
	return ok
}

func rewind(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

func (w *wire) open(ctx context.Context) (*wireConn, error) {
	conn, err := w.connect(ctx, w.tls)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: conn}, nil
}

// exchange sends one request and reads its answer. The connection is kept if it can be used again, else closed.
func (w *wire) exchange(conn *wireConn, req *http.Request, t *trace) (*http.Response, error) {
	ctx := req.Context()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
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

// roundTrip reports whether the connection can serve another request.
func (c *wireConn) roundTrip(req *http.Request, t *trace) (resp *http.Response, reusable bool, err error) {
	t.enter(PhaseSend)
	if err := c.send(req); err != nil {
		return nil, false, c.stale(err)
	}
	t.enter(PhaseWait)
	sent := time.Now()
	limited := &boundedReader{reader: c.Conn, left: maxHeaderBytes}
	r := wireReaders.Get().(*bufio.Reader)
	r.Reset(limited)
	defer func() {
		r.Reset(nil)
		wireReaders.Put(r)
	}()
	if _, err := r.Peek(1); err != nil {
		return nil, false, c.stale(err)
	}
	t.firstByte = time.Since(sent)
	t.enter(PhaseBody)
	resp, err = readHeader(r, req)
	if err != nil {
		return nil, false, err
	}
	limited.left = 2 * maxProbeBytes
	if err := readWhole(resp, maxProbeBytes); err != nil {
		return nil, false, err
	}
	return resp, !resp.Close && r.Buffered() == 0, nil
}

// stale marks an error as harmless where the server may have closed the kept connection while it was idle.
func (c *wireConn) stale(err error) error {
	if c.reused && isReset(err) {
		return &staleError{err}
	}
	return err
}

func (c *wireConn) send(req *http.Request) error {
	w := wireWriters.Get().(*bufio.Writer)
	w.Reset(c.Conn)
	defer func() {
		w.Reset(nil)
		wireWriters.Put(w)
	}()
	if err := req.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// readHeader reads the header of the final answer, past interim ones.
func readHeader(r *bufio.Reader, req *http.Request) (*http.Response, error) {
	for range 8 {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, errors.New("more than 8 interim answers")
}

// readWhole replaces the body by its whole, decompressed content of at most limit bytes.
func readWhole(resp *http.Response, limit int64) error {
	if resp.ContentLength == 0 {
		return nil
	}
	body, err := decompress(resp)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return err
	}
	if int64(len(content)) > limit {
		return fmt.Errorf("more than %d bytes: %w", limit, errTooLarge)
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	return nil
}

func (w *wire) take() *wireConn {
	conn := w.idle.Swap(nil)
	if conn != nil {
		conn.expiry.Stop()
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
	if conn := w.take(); conn != nil {
		_ = conn.Close() // nobody uses it
	}
}

// close closes the idle connection now, and those in use when their calls end.
func (w *wire) close() {
	w.closed.Store(true)
	w.closeIdle()
}
