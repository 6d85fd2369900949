package cluster_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// resume makes two connections, the first of which trusts whoever answers, and returns what the second came to. It offers
// the session of the first.
func resume(t *testing.T, config *rest.Config, address string) (resumed bool, err error) {
	t.Helper()
	handshake, err := cluster.Handshakes(config)
	if err != nil {
		t.Fatal(err)
	}
	first, err := tls.Dial("tcp", address, handshake(true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	if _, err := io.WriteString(first, "GET /readyz HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(first); err != nil { // the session comes before the answer
		t.Fatal(err)
	}
	second, err := tls.Dial("tcp", address, handshake(false))
	if err != nil {
		return false, err
	}
	return second.ConnectionState().DidResume, second.Close()
}

func TestASessionIsResumedUntilTheProofOfItEnds(t *testing.T) {
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ca, between := newAuthority("test CA"), newAuthority("intermediate")
				template, start := between.cert, time.Now()
				chain := func() *tls.Certificate {
					template.NotAfter = time.Now().Add(time.Hour)
					between.cert = sign(template, ca.cert, between.key.Public(), ca.key)
					certificate := between.serving("127.0.0.1")
					certificate.Certificate = append(certificate.Certificate, between.cert.Raw)
					return &certificate
				}
				sent := chain()
				server := &tls.Config{MaxVersion: version, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return sent, nil }}
				handshake, err := cluster.Handshakes(&rest.Config{
					Host: "https://127.0.0.1", TLSClientConfig: rest.TLSClientConfig{CAData: ca.pem()},
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range []struct {
					at      time.Duration
					resumed bool
				}{{0, false}, {59 * time.Minute, true}, {61 * time.Minute, false}, {62 * time.Minute, true}} {
					wait(step.at - time.Since(start))
					if step.at > time.Hour && sent.Leaf.NotBefore.Before(start) {
						sent = chain()
					}
					resumed, err := meet(handshake(false), server)
					if err != nil || resumed != step.resumed {
						t.Errorf("after %v: resumed %v, %v", step.at, resumed, err)
					}
				}
			})
		})
	}
}

// meet connects a client and a server, lets a byte come from it, and reports whether a session was resumed.
func meet(client, server *tls.Config) (resumed bool, err error) {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = theirs.Close() }()
		_, _ = tls.Server(theirs, server).Write([]byte("x"))
	}()
	defer func() { <-done }()
	defer func() { _ = ours.Close() }()
	conn := tls.Client(ours, client)
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return false, err
	}
	return conn.ConnectionState().DidResume, nil
}

// constrained returns an authority by that one, for addresses of another network only.
func (a *authority) constrained() *authority {
	between := newAuthority("constrained")
	between.cert.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
	between.cert = sign(between.cert, a.cert, between.key.Public(), a.key)
	return between
}

// during returns a certificate of the test's server that is valid from then until then.
func (a *authority) during(from, until time.Duration) tls.Certificate {
	return a.issue(func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(until)
	})
}
