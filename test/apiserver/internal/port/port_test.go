package port_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/port"
)

func TestReservedPortRefusesConnectionsAndOtherListeners(t *testing.T) {
	reservation := reserve(t)
	if _, err := net.Dial("tcp", reservation.Address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v", err)
	}
	if _, err := net.Listen("tcp", reservation.Address()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listen: %v", err)
	}
}

func TestServerThatSharesThePortGetsEveryConnection(t *testing.T) {
	reservation := reserve(t)
	sharing := net.ListenConfig{Control: share}
	for range 2 { // the port is there for a second server when the first has gone
		listener, err := sharing.Listen(t.Context(), "tcp", reservation.Address())
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			dialed, err := net.Dial("tcp", reservation.Address())
			if err != nil {
				t.Fatal(err)
			}
			accepted, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			dialed.Close()
			accepted.Close()
		}
		listener.Close()
	}
}

func TestReleasedPortIsFreeForAnybody(t *testing.T) {
	reservation, err := port.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	if err := reservation.Release(); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", reservation.Address())
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
}

// share sets SO_REUSEPORT, as the servers do when they are asked to.
func share(_, _ string, socket syscall.RawConn) error {
	var shared error
	err := socket.Control(func(fd uintptr) {
		shared = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, shared)
}

func reserve(t *testing.T) *port.Reservation {
	t.Helper()
	reservation, err := port.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reservation.Release(); err != nil {
			t.Error(err)
		}
	})
	return reservation
}
