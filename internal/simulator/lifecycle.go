package simulator

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// connKey is under which a request's context holds its *conn.
type connKey struct{}

// serve starts the HTTP server on every socket. shared may be nil.
func (f *Fleet) serve(auth Auth, shared *net.TCPListener) {
	f.tlsHealthy, f.tlsFaulty = f.serverConfigs(auth)
	f.server = &http.Server{
		Handler:           http.HandlerFunc(f.handle),
		ConnState:         f.followConn,
		ConnContext:       withConn,
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: time.Minute,                                  // of clients that say nothing: longer than any fault's test waits
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100}, // as kube-apiserver
	}
	if shared != nil {
		f.loops.Go(func() {
			f.enter(&entrance{fleet: f, socket: shared, accept: shared.AcceptTCP})
		})
	}
	for _, c := range f.clusters {
		if c.door != nil {
			f.serveDoor(c)
		}
	}
}

// serveDoor starts the accept loop of the cluster's own socket, as it is now.
func (f *Fleet) serveDoor(c *cluster) {
	l, ended := c.door.listener, c.door.ended
	accept := func() (*net.TCPConn, error) { return c.door.accept(l) }
	f.loops.Go(func() {
		defer close(ended)
		f.enter(&entrance{fleet: f, socket: l, accept: accept, owner: c})
	})
}

func (f *Fleet) enter(e *entrance) {
	err := f.server.Serve(e)
	f.log.Debug("stopped listening", "address", e.Addr().String(), "cause", err)
}

// followConn counts the goroutines of the HTTP server, which has no other way to be waited for.
func (f *Fleet) followConn(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		f.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		f.conns.Done()
	case http.StateActive, http.StateIdle:
	}
}

func withConn(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		return context.WithValue(ctx, connKey{}, secured.NetConn())
	}
	return ctx
}

// Close ends the fleet: it closes every socket and connection, and returns when nothing of the fleet runs any more.
func (f *Fleet) Close() error {
	f.faultMu.Lock()
	already := f.closed
	f.closed = true
	f.faultMu.Unlock()
	if already {
		return nil
	}
	f.stopTimeline()
	f.requests.close()
	for _, c := range f.clusters {
		if c.door != nil {
			c.door.shut()
		}
		c.unmute()
	}
	f.dropAll() // before the server does it, which says goodbye to each
	err := f.server.Close()
	f.loops.Wait()
	f.dropAll() // what was accepted in between
	f.conns.Wait()
	f.requests.wait()
	return err
}

func (f *Fleet) dropAll() {
	for _, c := range f.clusters {
		for _, open := range c.connections() {
			open.drop()
		}
	}
}

// tracker counts what runs and can be waited for while more is about to begin, which a sync.WaitGroup cannot.
type tracker struct {
	mu     sync.Mutex
	n      int
	closed bool
	empty  chan struct{} // closed when n is 0 after close
}

// enter reports false when the tracker is closed: then nothing may begin.
func (t *tracker) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	return true
}

func (t *tracker) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.closed && t.n == 0 {
		close(t.empty)
	}
}

func (t *tracker) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.empty = make(chan struct{})
	if t.n == 0 {
		close(t.empty)
	}
}

func (t *tracker) wait() { <-t.empty }
