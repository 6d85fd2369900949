package cluster_test

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// TestAReadThatConnectsAnewIsToldOfByItsNewConnection has a server that cuts a kept connection when it is used again, and
// then presents what is no certificate: that failure has no type, and is the handshake's, not ours.
func TestAReadThatConnectsAnewIsToldOfByItsNewConnection(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	ca := newAuthority("test CA")
	good := ca.serving("127.0.0.1")
	var connections atomic.Int32
	config := rawListener(t, ca, func(conn net.Conn) {
		certificate := good
		if connections.Add(1) > 1 {
			certificate.Certificate = [][]byte{[]byte("no certificate")}
		}
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
		if secure.HandshakeContext(t.Context()) != nil || !readRequest(secure) {
			return
		}
		_, _ = io.WriteString(secure, answer)
		readRequest(secure)
	})
	client := newClient(t, config)
	if e := readAll(t.Context(), t, client, pods); e != nil {
		t.Fatal(e)
	}
	e := readAll(t.Context(), t, client, pods)
	if e == nil || e.Reason != cluster.TLSHandshakeFailed || e.Phase != cluster.PhaseTLS || e.Blame != cluster.BlameControlPlane {
		t.Errorf("got %+v", e)
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections were made", n)
	}
}

// TestAttemptsToConnectForOneCallShareNothing is for the race detector.
func TestAttemptsToConnectForOneCallShareNothing(t *testing.T) {
	ca := newAuthority("test CA")
	config := rawListener(t, ca, func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{ca.serving("127.0.0.1")}, NextProtos: []string{"http/1.1"}})
		_ = secure.HandshakeContext(t.Context())
		_ = secure.Close()
	})
	if err := cluster.ConnectAtOnce(t.Context(), config, 8); err != nil {
		t.Error(err)
	}
}

func TestAProbeDoesNotWaitForTheRestOfWhatIsNotHTTP(t *testing.T) {
	const settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // a frame of HTTP/2, no line of HTTP/1.1
	client := newClient(t, rawServer(t, func(conn net.Conn) {
		readRequest(conn)
		_, _ = io.WriteString(conn, settings)
		silent(conn)
	}))
	for _, depth := range []cluster.Depth{cluster.Quick, cluster.Full} {
		v, err := client.Probe(t.Context(), depth, shortly)
		if err != nil || v.Reason != cluster.MalformedResponse || v.State != cluster.Degraded {
			t.Errorf("got %+v, %v", v, err)
		}
	}
}
