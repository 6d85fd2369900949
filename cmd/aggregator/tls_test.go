package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func TestChangedCertificateIsUsedByTheNextConnection(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	c := config{}
	c.tlsCert, c.tlsKey = authority.Issue(t, "fleet.test")
	server, log := serveTLS(t, c)
	first := server.serial(t, authority)
	if again := server.serial(t, authority); again != first {
		t.Errorf("another certificate was used, though none has changed")
	}

	goodKey := content(t, c.tlsKey)
	replace(t, c.tlsKey, []byte("half of a ke"))
	for range 2 {
		if got := server.serial(t, authority); got != first {
			t.Error("a broken key was used")
		}
	}
	replace(t, c.tlsKey, goodKey)
	if log.String() == "" || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("a broken file is logged once, got %q", log)
	}

	authority.Issue(t, "fleet.test") // into the same files
	if got := server.serial(t, authority); got == first {
		t.Error("the old certificate is still used")
	}
	if err := os.Remove(c.tlsCert); err != nil {
		t.Fatal(err)
	}
	if got := server.serial(t, authority); got == first {
		t.Error("without its file, the last good certificate is used")
	}
}

func TestChangedClientAuthorityIsTrustedByTheNextConnection(t *testing.T) {
	old, renewed := clienttest.NewAuthority(t), clienttest.NewAuthority(t)
	c := config{clientCA: old.CAFile}
	c.tlsCert, c.tlsKey = old.Issue(t, "fleet.test")
	server, _ := serveTLS(t, c)
	with := func(a *clienttest.Authority) *tls.Certificate {
		pair, err := tls.LoadX509KeyPair(a.Issue(t, "caller"))
		if err != nil {
			t.Fatal(err)
		}
		return &pair
	}
	if err := server.handshake(old, with(old), nil); err != nil {
		t.Errorf("a caller of the authority was refused: %v", err)
	}
	if err := server.handshake(old, nil, nil); err == nil {
		t.Error("a caller without certificate was served")
	}
	if err := server.handshake(old, with(renewed), nil); err == nil {
		t.Error("a caller of another authority was served")
	}
	replace(t, c.clientCA, content(t, renewed.CAFile))
	// The server's own certificate is still the old authority's, whose file now holds the new one.
	if err := server.handshake(nil, with(renewed), nil); err != nil {
		t.Errorf("a caller of the new authority was refused: %v", err)
	}
	if err := server.handshake(nil, with(old), nil); err == nil {
		t.Error("a caller of the old authority was served")
	}
}

func TestTLSFilesThatAreNotGoodAreNamed(t *testing.T) {
	authority, other := clienttest.NewAuthority(t), clienttest.NewAuthority(t)
	cert, key := authority.Issue(t, "fleet.test")
	_, otherKey := other.Issue(t, "fleet.test")
	for _, c := range []struct {
		name   string
		config config
		want   string
	}{
		{"no key", config{tlsCert: cert, tlsKey: key + ".gone"}, "--tls-key " + key + ".gone: no such file or directory"},
		{"another's key", config{tlsCert: cert, tlsKey: otherKey}, "private key does not match public key"},
		{"no certificate in the file", config{tlsCert: key, tlsKey: key}, "--tls-cert " + key},
		{"no client authority", config{tlsCert: cert, tlsKey: key, clientCA: cert + ".gone"}, "--client-ca " + cert + ".gone: no such file or directory"},
		{"no authority in the file", config{tlsCert: cert, tlsKey: key, clientCA: key}, "--client-ca " + key + ": the file has no certificate in PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.config.grpcTLS(slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTLSFilesAreReadAtMostOnceASecond(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	c := config{}
	c.tlsCert, c.tlsKey = authority.Issue(t, "fleet.test")
	synctest.Test(t, func(t *testing.T) {
		i := c.identity(slog.New(slog.DiscardHandler), tls.NoClientCert)
		if _, err := i.tlsConfig(); err != nil {
			t.Fatal(err)
		}
		first := i.current()
		authority.Issue(t, "fleet.test") // into the same files
		<-time.After(rereadAfter - time.Millisecond)
		if i.current() != first {
			t.Error("the files were read again within a second")
		}
		<-time.After(time.Millisecond)
		if i.current() == first {
			t.Error("after a second the new certificate is not used")
		}
	})
}

func TestHandshakesDoNotWaitForTheReadingOfTLSFiles(t *testing.T) {
	c := config{}
	c.tlsCert, c.tlsKey = clienttest.NewAuthority(t).Issue(t, "fleet.test")
	i := c.identity(slog.New(slog.DiscardHandler), tls.NoClientCert)
	i.rereadAfter = 0
	if _, err := i.tlsConfig(); err != nil {
		t.Fatal(err)
	}
	first := i.current()
	// A pipe is a file whose reading takes as long as its writer likes.
	if err := errors.Join(os.Remove(c.tlsCert), syscall.Mkfifo(c.tlsCert, 0o600)); err != nil {
		t.Fatal(err)
	}
	slow := make(chan *tls.Config)
	go func() { slow <- i.current() }()
	writer, err := os.OpenFile(c.tlsCert, os.O_WRONLY, 0) // waits for the reader
	if err != nil {
		t.Fatal(err)
	}
	others := make(chan *tls.Config)
	go func() { others <- i.current() }()
	select {
	case config := <-others:
		if config != first {
			t.Error("not the last good files are used")
		}
	case <-time.After(patience):
		t.Error("a handshake waits for the files")
		defer func() { <-others }()
	}
	writer.Close()
	if <-slow != first {
		t.Error("an empty file is used")
	}
}

// tlsServer makes handshakes until the test ends.
type tlsServer struct{ address string }

func serveTLS(t *testing.T, c config) (*tlsServer, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{} // a handshake ends before the test looks
	i := c.identity(slog.New(slog.NewTextHandler(log, nil)), tls.RequireAndVerifyClientCert, "h2")
	i.rereadAfter = 0
	secure, err := i.tlsConfig()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", secure)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			greet(conn)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return &tlsServer{listener.Addr().String()}, log
}

// greet sends a byte: a client knows only then that its certificate was accepted.
func greet(conn net.Conn) {
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(patience)) == nil {
		_, _ = conn.Write([]byte{1}) // who called sees whether it came
	}
}

// handshake connects, trusting the authority, nil for any, and waits for the greeting.
func (s *tlsServer) handshake(trusted *clienttest.Authority, own *tls.Certificate, state *tls.ConnectionState) error {
	client := &tls.Config{ServerName: "fleet.test", NextProtos: []string{"h2"}, InsecureSkipVerify: trusted == nil}
	if trusted != nil {
		ca, err := os.ReadFile(trusted.CAFile)
		if err != nil {
			return err
		}
		client.RootCAs = x509.NewCertPool()
		client.RootCAs.AppendCertsFromPEM(ca)
	}
	if own != nil {
		client.Certificates = []tls.Certificate{*own}
	}
	conn, err := tls.Dial("tcp", s.address, client)
	if err != nil {
		return err
	}
	defer conn.Close()
	if state != nil {
		*state = conn.ConnectionState()
	}
	_, err = conn.Read(make([]byte, 1))
	return errors.Join(err, conn.SetDeadline(time.Now()))
}

// serial connects and returns the serial number of the server's certificate.
func (s *tlsServer) serial(t *testing.T, trusted *clienttest.Authority) string {
	t.Helper()
	var state tls.ConnectionState
	if err := s.handshake(trusted, nil, &state); err != nil {
		t.Fatal(err)
	}
	if state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "h2" {
		t.Errorf("got %s and %q", tls.VersionName(state.Version), state.NegotiatedProtocol)
	}
	return state.PeerCertificates[0].SerialNumber.String()
}

func content(t *testing.T, file string) []byte {
	t.Helper()
	bytes, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func replace(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
