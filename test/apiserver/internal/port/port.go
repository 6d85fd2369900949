// Package port reserves TCP ports of the loopback for servers that are told their port rather than asked for it.
package port

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reservation holds a port of 127.0.0.1 by a socket that is bound but does not listen. Only a process of the same user
// that sets SO_REUSEPORT, too, can listen there, so the port cannot be lost between choosing and using it. When that
// process ends, connections are refused, and still nobody else gets the port: whoever probes a dead server probes that one.
type Reservation struct {
	port   int
	socket int
}

// Reserve picks a port that nobody has.
func Reserve() (*Reservation, error) {
	socket, err := newSocket()
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	port, err := bind(socket)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reserve a port: %w", err), unix.Close(socket))
	}
	return &Reservation{port: port, socket: socket}, nil
}

// newSocket makes a socket that no child process inherits.
func newSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(socket)
	}
	return socket, err
}

func bind(socket int) (int, error) {
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, err
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	inet, ok := address.(*unix.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("bound to an unexpected kind of address: %T", address)
	}
	return inet.Port, nil
}

// Port returns the port's number.
func (r *Reservation) Port() int { return r.port }

// Address returns the port as host:port.
func (r *Reservation) Address() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

// Release gives the port back. A server that listens on it goes on.
func (r *Reservation) Release() error { return unix.Close(r.socket) }
