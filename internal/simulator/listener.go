package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// entrance is a listening socket as the HTTP server sees it: connections of known clusters, wrapped in TLS, except
// those that a fault meets before any request.
type entrance struct {
	fleet  *Fleet
	socket net.Listener
	accept func() (*net.TCPConn, error)
	owner  *cluster // nil: the local address of the connection tells
}

// Accept implements net.Listener.
func (e *entrance) Accept() (net.Conn, error) {
	for {
		tcp, err := e.accept()
		if err != nil {
			return nil, err
		}
		if admitted := e.fleet.admit(tcp, e.owner); admitted != nil {
			return admitted, nil
		}
	}
}

// Close implements net.Listener.
func (e *entrance) Close() error { return e.socket.Close() }

// Addr implements net.Listener.
func (e *entrance) Addr() net.Addr { return e.socket.Addr() }

// admit turns a TCP connection into one of a cluster. It returns nil when the connection is not to be served: because
// it comes to loopback and not from there, or because a fault has taken it over.
func (f *Fleet) admit(tcp *net.TCPConn, owner *cluster) net.Conn {
	if owner == nil {
		owner = f.clusterAt(tcp)
	}
	if owner == nil || !f.network.admits(addrOf(tcp.RemoteAddr())) {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
		return nil
	}
	c := &conn{TCPConn: tcp, cluster: owner, stats: f.stats}
	f.stats.countAccept(owner)
	owner.remember(c) // before the faults are read: a fault that begins now finds the connection or is found by it
	faults := owner.faults.Load()
	if faults.linkKind() == Refuse {
		c.reset()
		return nil
	}
	if fault := faults.connectionFault(); fault != nil && fault.greet != nil {
		f.loops.Go(func() { fault.greet(f, c) })
		return nil
	}
	return tls.Server(c, f.tlsHealthy)
}

func (f *Fleet) clusterAt(tcp *net.TCPConn) *cluster {
	index, ok := f.network.indexOf(addrOf(tcp.LocalAddr()))
	if !ok || index >= len(f.clusters) || f.clusters[index].door != nil {
		return nil
	}
	return f.clusters[index]
}

func addrOf(addr net.Addr) netip.Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// listen opens a listening socket.
func listen(ctx context.Context, addr netip.Addr, port int) (*net.TCPListener, error) {
	return listenWith(ctx, net.ListenConfig{}, addr, port)
}

// listenForAll opens the socket that the clusters of a network share.
func listenForAll(ctx context.Context, n network, port int) (*net.TCPListener, error) {
	config := net.ListenConfig{}
	if n.isLoopback() {
		config.Control = func(_, _ string, raw syscall.RawConn) error { return raw.Control(stayOnLoopback) }
	}
	return listenWith(ctx, config, netip.IPv4Unspecified(), port)
}

// listenWith turns keep-alive probes off: a fleet of idle connections is not to wake up for them.
func listenWith(ctx context.Context, config net.ListenConfig, addr netip.Addr, port int) (*net.TCPListener, error) {
	config.KeepAlive = -1
	address := net.JoinHostPort(addr.String(), strconv.Itoa(port))
	l, err := config.Listen(ctx, "tcp4", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(fmt.Errorf("listen on %s: got a %T", address, l), l.Close())
	}
	return tcp, nil
}

// portOf is where l listens; 0 if that is not TCP, which it is.
func portOf(l *net.TCPListener) uint16 {
	bound, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return bound.AddrPort().Port()
}
