package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// fullBacklog is the usual length of the queue of connections that wait to be accepted.
const fullBacklog = 4096

// plugTimeout bounds the attempt to fill a backlog; when it passes, the backlog was full already.
const plugTimeout = time.Second

// door is the listening socket of one cluster that can be shut (nothing listens) and plugged (SYNs are dropped). Its
// methods are called under Fleet.faultMu, except accept.
type door struct {
	address netip.AddrPort

	listener *net.TCPListener // nil while shut
	ended    chan struct{}    // closed when the accept loop of listener has ended
	plug     net.Conn         // fills the backlog; nil when even that found no room
	plugged  bool

	// While plugged, the accept loop rests between parked and resume.
	parked, resume chan struct{}
	// plugAddr is written while the loop rests and read while it does not.
	plugAddr string
}

// newDoor opens a door at addr, on a free port that it keeps.
func newDoor(ctx context.Context, addr netip.Addr) (*door, error) {
	d := &door{address: netip.AddrPortFrom(addr, 0), parked: make(chan struct{}), resume: make(chan struct{})}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	d.address = netip.AddrPortFrom(addr, portOf(d.listener))
	return d, nil
}

func (d *door) open(ctx context.Context) error {
	l, err := listen(ctx, d.address.Addr(), int(d.address.Port()))
	if err != nil {
		return err
	}
	d.listener, d.ended = l, make(chan struct{})
	return nil
}

// shut closes the socket and waits for its accept loop: from here on connections are refused.
func (d *door) shut() {
	if d.listener == nil {
		return
	}
	_ = d.listener.Close()
	if d.plugged {
		d.pull()
		d.resume <- struct{}{}
	}
	<-d.ended
	d.listener = nil
}

// stopUp makes the system drop SYNs: it stops accepting, shrinks the backlog to one connection, and takes that one.
func (d *door) stopUp(ctx context.Context) error {
	if d.listener == nil {
		return fmt.Errorf("black-hole %s: it is not listening", d.address)
	}
	if err := d.listener.SetDeadline(time.Unix(1, 0)); err != nil {
		return fmt.Errorf("black-hole %s: %w", d.address, err)
	}
	select {
	case <-d.parked:
	case <-d.ended:
		return fmt.Errorf("black-hole %s: it is not listening", d.address)
	}
	d.plugged = true
	if err := setBacklog(d.listener, 0); err != nil {
		return fmt.Errorf("black-hole %s: %w", d.address, err)
	}
	dialer := net.Dialer{Timeout: plugTimeout}
	plug, err := dialer.DialContext(ctx, "tcp4", d.address.String())
	if err == nil {
		d.plug, d.plugAddr = plug, plug.LocalAddr().String()
		return nil
	}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return fmt.Errorf("black-hole %s: %w", d.address, err)
}

// unstop undoes stopUp. Clients that were trying all along get through with their next SYN.
func (d *door) unstop() error {
	d.pull()
	err := errors.Join(setBacklog(d.listener, fullBacklog), d.listener.SetDeadline(time.Time{}))
	d.resume <- struct{}{}
	return err
}

func (d *door) pull() {
	d.plugged = false
	if d.plug != nil {
		_ = d.plug.Close()
		d.plug = nil
	}
}

// accept is the accept function of an entrance at l.
func (d *door) accept(l *net.TCPListener) (*net.TCPConn, error) {
	for {
		tcp, err := l.AcceptTCP()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			d.parked <- struct{}{}
			<-d.resume
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.plugAddr != "" && tcp.RemoteAddr().String() == d.plugAddr {
			_ = tcp.Close()
			d.plugAddr = ""
			continue
		}
		return tcp, nil
	}
}
