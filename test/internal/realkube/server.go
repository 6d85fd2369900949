package realkube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// requestTimeout is far more than a request to a busy test server takes.
	requestTimeout = 30 * time.Second
	// awaitTimeout is far more than a change takes to show.
	awaitTimeout = 30 * time.Second
	// deathTimeout is how long a killed server may hold on to its port.
	deathTimeout = 10 * time.Second
	// pause is the time between two looks at what is about to change.
	pause = 5 * time.Millisecond
)

// Server is a running API server.
type Server struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	CAFile string `json:"ca_file"` // of the authority of its serving certificate; no other server has the same

	Token  string            `json:"token"`  // of the user admin, who may do everything
	Tokens map[string]string `json:"tokens"` // of each user: admin, limited, member (in the group team), guest

	// A client certificate of the user admin, and the authority whose client certificates the server trusts.
	ClientCertFile  string `json:"client_cert_file"`
	ClientKeyFile   string `json:"client_key_file"`
	ClientCAFile    string `json:"client_ca_file"`
	ClientCAKeyFile string `json:"client_ca_key_file"`

	PID     int    `json:"pid"`      // of kube-apiserver
	LogFile string `json:"log_file"` // of kube-apiserver

	EtcdURL     string `json:"etcd_url"` // plain HTTP without authentication: gRPC, and the JSON gateway under /v3/
	EtcdPID     int    `json:"etcd_pid"`
	EtcdLogFile string `json:"etcd_log_file"`

	client  *http.Client
	command []string // of kube-apiserver, known since it was killed
	killed  atomic.Bool
}

// LimitedToken is the token of the user limited, who may do what the test binds to it: at first, nothing.
func (s *Server) LimitedToken() string { return s.Tokens["limited"] }

// connect makes the client of Do, which ends with the test.
func (s *Server) connect(t testing.TB) error {
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport, Timeout: requestTimeout}
	return nil
}

// Do sends a request as the administrator and returns the answer, whatever its status. The path begins with a slash and
// may have a query; the body is JSON, empty for none, and of a PATCH a merge patch. Without an answer the test fails and
// the status is 0. Do may be called from any goroutine of the test.
func (s *Server) Do(t testing.TB, method, path, body string) (status int, answer []byte) {
	t.Helper()
	return s.DoAs(t, s.Token, method, path, body)
}

// DoAs is Do with the token of another user.
func (s *Server) DoAs(t testing.TB, token, method, path, body string) (status int, answer []byte) {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + token}}
	status, answer, err := send(t.Context(), s.client, method, s.URL+path, strings.NewReader(body), header)
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
		return 0, nil
	}
	return status, answer
}

// Await sends a GET with a user's token again and again until the answer has the status, and returns that answer. Roles,
// custom resources and the like take effect a moment after they are written.
func (s *Server) Await(t testing.TB, token, path string, status int) (answer []byte) {
	t.Helper()
	for deadline := time.Now().Add(awaitTimeout); ; {
		got, answer := s.DoAs(t, token, http.MethodGet, path, "")
		if got == status {
			return answer
		}
		if got == 0 || time.Now().After(deadline) {
			t.Fatalf("%s: GET %s: status %d, want %d: %s", s.Name, path, got, status, answer)
		}
		<-time.After(pause)
	}
}

func send(ctx context.Context, client *http.Client, method, url string, body io.Reader, header http.Header) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, nil, err
	}
	request.Header = header
	request.Header.Set("Content-Type", contentType(method))
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, url, err)
	}
	return response.StatusCode, answer, nil
}

func contentType(method string) string {
	if method == http.MethodPatch {
		return "application/merge-patch+json"
	}
	return "application/json"
}

// waitRefused returns when nobody listens on the server's address any more.
func (s *Server) waitRefused() error {
	ctx, cancel := context.WithTimeout(context.Background(), deathTimeout)
	defer cancel()
	address := strings.TrimPrefix(s.URL, "https://")
	for {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		if err == nil {
			connection.Close()
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}
