package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc/credentials"
)

// connectTimeout bounds one attempt to connect, so that a dead address is reported soon.
const connectTimeout = 5 * time.Second

// lastWords is how long a connection that the server closed is kept open to read why.
const lastWords = 250 * time.Millisecond

// errSilent is the failure of a connection on which nothing came.
var errSilent = errors.New("the connection is accepted but not answered")

// link opens the connections of one client and remembers why the last one failed: grpc-go reports that as text only.
type link struct {
	dialer    net.Dialer
	plaintext bool
	failure   atomic.Pointer[error]
}

func newLink(plaintext bool) *link {
	l := &link{plaintext: plaintext, dialer: net.Dialer{Timeout: connectTimeout, KeepAlive: -1}}
	if plaintext {
		l.dialer.ControlContext = refuseRemote
	}
	return l
}

// refuseRemote keeps plaintext on the machine even where a name such as localhost resolves to somewhere else.
func refuseRemote(_ context.Context, _, remote string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(remote); err != nil || !to.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("plaintext to %s is refused: it is not a loopback address", remote)
	}
	return nil
}

func (l *link) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := l.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		l.failed(err)
	}
	return conn, err
}

func (l *link) failed(err error) { l.failure.Store(&err) }

func (l *link) connected() { l.failure.Store(nil) }

// lastFailure is nil while the last connection worked.
func (l *link) lastFailure() error {
	if err := l.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// watched are credentials whose handshakes report to a link.
type watched struct {
	credentials.TransportCredentials
	link *link
}

// ClientHandshake is the credentials' own, watched.
func (w watched) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := w.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		w.link.failed(err)
		return conn, info, err
	}
	return &watchedConn{Conn: conn, link: w.link, greeted: make(chan struct{})}, info, nil
}

// Clone keeps the link.
func (w watched) Clone() credentials.TransportCredentials {
	return watched{TransportCredentials: w.TransportCredentials.Clone(), link: w.link}
}

// watchedConn reports what its first read tells: TLS 1.3 servers refuse a client's certificate only then, and a server
// that speaks something else hangs up.
type watchedConn struct {
	net.Conn
	link    *link
	greeted chan struct{}         // Closed when the first read ended.
	read    bool                  // Only the transport's one reader uses it.
	cut     atomic.Pointer[error] // Why a write failed.
}

// Read reports what the first read tells.
func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.read {
		return n, err
	}
	c.read = true
	defer close(c.greeted)
	switch {
	case err == nil && foreign(p[:n]):
		c.link.failed(ErrForeignProtocol)
	case err == nil:
		c.link.connected()
	case errors.Is(err, net.ErrClosed): // By grpc-go, which waited for the greeting in vain or could not write.
		c.link.failed(c.unanswered())
	default:
		c.link.failed(err)
	}
	return n, err
}

// foreign tells that what a server sends first is not the settings by which HTTP/2 starts: 3 bytes of length, and the type 4.
func foreign(greeting []byte) bool { return len(greeting) > 3 && greeting[3] != 4 }

// unanswered is why a connection on which nothing came was closed.
func (c *watchedConn) unanswered() error {
	if cut := c.cut.Load(); cut != nil {
		return *cut
	}
	return errSilent
}

// Write remembers why one failed: that is the failure where the server has no last words.
func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		c.cut.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Close lets the reader have the server's last words where a write failed: they say why the server hung up.
func (c *watchedConn) Close() error {
	if c.cut.Load() != nil {
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case <-c.greeted:
		case <-timer.C:
		}
	}
	return c.Conn.Close()
}
