package cluster_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// canary is the credential of every test: it must not appear in anything that is shown.
const canary = "c4nary-0123456789-token"

// api is a small API server: real TLS, real HTTP. Paths that no handler is set for are answered as a healthy cluster
// answers them.
type api struct {
	*httptest.Server
	ca *authority

	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	requests []string

	conns, open atomic.Int64
	resumed     atomic.Int64
}

// newAPI starts a server, after edit has changed it.
func newAPI(t testing.TB, edit ...func(*api)) *api {
	t.Helper()
	a := &api{ca: newAuthority("test CA"), handlers: map[string]http.HandlerFunc{}}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0)
	a.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			a.conns.Add(1)
			a.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			a.open.Add(-1)
		default:
		}
	}
	a.TLS = &tls.Config{Certificates: []tls.Certificate{a.ca.serving("127.0.0.1", "localhost")}}
	for _, change := range edit {
		change(a)
	}
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

// on sets what answers a path.
func (a *api) on(path string, handler http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handlers[path] = handler
}

// ServeHTTP answers.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r.Method+" "+r.URL.RequestURI())
	handler := a.handlers[r.URL.Path]
	if handler == nil {
		handler = a.handlers["*"]
	}
	a.mu.Unlock()
	if r.TLS.DidResume {
		a.resumed.Add(1)
	}
	if handler == nil {
		handler = healthy
	}
	handler(w, r)
}

// seen returns the requests so far.
func (a *api) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.requests...)
}

func healthy(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/readyz", "/livez", "/healthz":
		_, _ = io.WriteString(w, "ok")
	case "/version":
		_, _ = io.WriteString(w, `{"gitVersion":"v1.36.3"}`)
	case "/apis/authentication.k8s.io/v1/selfsubjectreviews":
		answer(w, http.StatusCreated, `{"status":{"userInfo":{"username":"jane"}}}`)
	case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
		answer(w, http.StatusCreated, `{"status":{"allowed":true}}`)
	case "/api/v1/pods":
		answer(w, http.StatusOK, `{"kind":"PodList","items":[]}`)
	default:
		status(w, http.StatusNotFound, "the server could not find the requested resource")
	}
}

func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) //nolint:gosec // no browser reads it
}

// status answers as Kubernetes does when it says no.
func status(w http.ResponseWriter, code int, message string) {
	answer(w, code, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":`+quoted(message)+`}`)
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

func always(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, code, body) }
}

// config returns how to reach the server.
func (a *api) config() *rest.Config {
	return &rest.Config{Host: a.URL, BearerToken: canary, TLSClientConfig: rest.TLSClientConfig{CAData: a.ca.pem()}}
}

// newClient returns a client, which is closed when the test ends.
func newClient(t testing.TB, config *rest.Config) *cluster.Client {
	t.Helper()
	client, err := cluster.New(cluster.Definition{Name: "c1", Config: config}, cluster.Options{UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// rawServer serves each connection, after its TLS handshake, by serve, and returns how to reach it.
func rawServer(t testing.TB, serve func(net.Conn)) *rest.Config {
	t.Helper()
	return tlsServer(t, "http/1.1", serve)
}

// tlsServer is a rawServer of another protocol.
func tlsServer(t testing.TB, protocol string, serve func(net.Conn)) *rest.Config {
	t.Helper()
	ca := newAuthority("test CA")
	config := &tls.Config{Certificates: []tls.Certificate{ca.serving("127.0.0.1")}, NextProtos: []string{protocol}}
	return rawListener(t, ca, func(conn net.Conn) {
		secure := tls.Server(conn, config)
		if secure.HandshakeContext(context.Background()) == nil {
			serve(secure)
		}
	})
}

// rawListener serves each connection by serve, before any handshake.
func rawListener(t testing.TB, ca *authority, serve func(net.Conn)) *rest.Config {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]struct{}{}
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = struct{}{}
			mu.Unlock()
			group.Go(func() {
				serve(conn)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return &rest.Config{
		Host: "https://" + listener.Addr().String(), BearerToken: canary,
		TLSClientConfig: rest.TLSClientConfig{CAData: ca.pem()},
	}
}

// readRequest reads one request's header and reports whether there was one.
func readRequest(conn net.Conn) bool {
	var got strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(got.String(), "\r\n\r\n") {
		n, err := conn.Read(buffer)
		if err != nil {
			return false
		}
		got.Write(buffer[:n])
	}
	return true
}

// says answers each request of a connection with the same bytes.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		for readRequest(conn) {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}
}

// silent reads and never answers.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// repeats sends head once and then part without end.
func repeats(head, part string) func(net.Conn) {
	return func(conn net.Conn) {
		if !readRequest(conn) {
			return
		}
		if _, err := io.WriteString(conn, head); err != nil {
			return
		}
		for {
			if _, err := io.WriteString(conn, part); err != nil {
				return
			}
		}
	}
}

func withCertificate(edit func(*authority) tls.Certificate) func(*api) {
	return func(a *api) { a.TLS.Certificates = []tls.Certificate{edit(a.ca)} }
}

func expire(template *x509.Certificate) {
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	template.NotAfter = template.NotBefore.Add(1)
}
