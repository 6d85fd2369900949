package client

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/credentials/insecure"
)

// silentConnection returns a connection to a server that never writes.
func silentConnection(t *testing.T) (*link, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	l := newLink(true)
	raw, err := l.dial(t.Context(), listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := (watched{TransportCredentials: insecure.NewCredentials(), link: l}).ClientHandshake(t.Context(), "", raw)
	if err != nil {
		t.Fatal(err)
	}
	return l, conn
}

func closeAndRead(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("read %d bytes of a closed connection", n)
	}
}

func TestAConnectionOnWhichNothingComesIsReportedAsSilent(t *testing.T) {
	l, conn := silentConnection(t)
	closeAndRead(t, conn)
	if got := l.lastFailure(); !errors.Is(got, errSilent) {
		t.Errorf("the failure is %v", got)
	}
}

func TestAConnectionThatCannotBeWrittenToIsReportedWithTheReason(t *testing.T) {
	l, conn := silentConnection(t)
	if err := conn.SetWriteDeadline(time.Now()); err != nil { // So that writes fail before anything is read.
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the write ended with %v", err)
	}
	closeAndRead(t, conn)
	if got := l.lastFailure(); !errors.Is(got, os.ErrDeadlineExceeded) {
		t.Errorf("the failure is %v", got)
	}
}

func TestPlaintextStaysOnTheMachineWhateverANameResolvesTo(t *testing.T) {
	l := newLink(true)
	conn, err := l.dial(t.Context(), "192.0.2.1:7443")
	if err == nil {
		conn.Close()
		t.Fatal("a remote address was dialed without TLS")
	}
	if got := l.lastFailure(); got == nil || !strings.Contains(got.Error(), "is refused: it is not a loopback address") {
		t.Errorf("the failure is %v", got)
	}
}
