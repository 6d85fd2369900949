package client

import (
	"errors"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc/credentials/insecure"
)

func TestAConnectionOnWhichNothingComesIsReportedAsSilent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := newLink(true)
	raw, err := l.dial(t.Context(), listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := (watched{TransportCredentials: insecure.NewCredentials(), link: l}).ClientHandshake(t.Context(), "", raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("read %d bytes of a closed connection", n)
	}
	if got := l.lastFailure(); !errors.Is(got, errSilent) {
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
