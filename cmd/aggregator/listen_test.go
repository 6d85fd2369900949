package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is far more than anything on loopback takes.
const patience = 10 * time.Second

// moment is how long a test watches that nothing happens.
const moment = 100 * time.Millisecond

func TestListenerServesABoundedNumberOfConnectionsOfASource(t *testing.T) {
	connections := accept(t)
	for range maxConnectionsPerSource {
		connections.dial(t, "127.0.0.1")
	}
	first := connections.take(t, maxConnectionsPerSource)[0]
	refused := connections.dial(t, "127.0.0.1")
	if _, err := refused.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Fatalf("the connection beyond the bound lives: %v", err)
	}
	connections.dial(t, "127.0.0.2")
	connections.take(t, 1) // another source is not affected

	if err := errors.Join(first.Close(), first.Close()); err == nil {
		t.Error("closing twice is an error of net.Conn")
	}
	connections.dial(t, "127.0.0.1")
	connections.take(t, 1)
	refused = connections.dial(t, "127.0.0.1")
	if _, err := refused.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Errorf("closing a connection twice made room for two: %v", err)
	}
}

func TestListenerServesABoundedNumberOfConnectionsInAll(t *testing.T) {
	connections := accept(t)
	for source := range maxConnections / maxConnectionsPerSource {
		for range maxConnectionsPerSource {
			connections.dial(t, fmt.Sprintf("127.0.1.%d", 1+source))
		}
	}
	open := connections.take(t, maxConnections)
	connections.dial(t, "127.0.2.1")
	select {
	case <-connections.accepted:
		t.Fatal("a connection beyond the bound was accepted")
	case <-time.After(moment):
	}
	open[0].Close()
	connections.take(t, 1)
}

func TestPlaintextIsServedOnlyWhereTheBoundAddressIsLoopback(t *testing.T) {
	for _, c := range []struct {
		address        string
		secure, served bool
	}{
		{"127.0.0.1:0", false, true},
		{"localhost:0", false, true},
		{"0.0.0.0:0", true, true},
		{"0.0.0.0:0", false, false}, // what a name may stand for
		{":0", false, false},
	} {
		t.Run(fmt.Sprintf("%s, TLS %t", c.address, c.secure), func(t *testing.T) {
			listener, err := listen(t.Context(), "--grpc-address", c.address, c.secure)
			if listener != nil {
				listener.Close()
			}
			if served := err == nil; served != c.served {
				t.Errorf("served: %t: %v", served, err)
			}
			if err != nil && !strings.Contains(err.Error(), "--grpc-address "+c.address+": it stands for ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// connections are those of a listener that is accepting.
type connections struct {
	address  string
	accepted chan net.Conn
}

// accept accepts connections until the test ends.
func accept(t *testing.T) *connections {
	t.Helper()
	listener, err := listen(t.Context(), "--grpc-address", "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	c := &connections{address: listener.Addr().String(), accepted: make(chan net.Conn, maxConnections)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.accepted <- conn
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return c
}

// dial connects from a source.
func (c *connections) dial(t *testing.T, source string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: patience}
	conn, err := dialer.DialContext(t.Context(), "tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// take returns n accepted connections.
func (c *connections) take(t *testing.T, n int) []io.Closer {
	t.Helper()
	timeout := time.After(patience)
	var taken []io.Closer
	for range n {
		select {
		case conn := <-c.accepted:
			t.Cleanup(func() { conn.Close() })
			taken = append(taken, conn)
		case <-timeout:
			t.Fatalf("%d connections were accepted, not %d", len(taken), n)
		}
	}
	return taken
}
