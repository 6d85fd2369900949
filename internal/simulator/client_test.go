package simulator_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds whatever a test waits for; nothing comes near it unless the test fails.
const patience = 20 * time.Second

// start brings up a fleet that ends with the test.
func start(t *testing.T, config simulator.Config) *simulator.Fleet {
	t.Helper()
	fleet, err := simulator.Start(t.Context(), config)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := fleet.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return fleet
}

// client is what the kubeconfig makes of one cluster.
type client struct {
	t         *testing.T
	url       string
	token     string
	tls       *tls.Config
	transport *http.Transport
	http      *http.Client
}

// contexts is the kubeconfig of a fleet, read once: with hundreds of contexts that takes its time.
type contexts struct {
	t      *testing.T
	config *clientcmdapi.Config
}

func load(t *testing.T, fleet *simulator.Fleet) contexts {
	t.Helper()
	config, err := clientcmd.Load(fleet.Kubeconfig())
	if err != nil {
		t.Fatalf("load the kubeconfig: %v", err)
	}
	return contexts{t: t, config: config}
}

func (c contexts) settings(name string) *rest.Config {
	c.t.Helper()
	settings, err := clientcmd.NewNonInteractiveClientConfig(*c.config, name, nil, nil).ClientConfig()
	if err != nil {
		c.t.Fatalf("context %s: %v", name, err)
	}
	return settings
}

// client connects over HTTP/2.
func (c contexts) client(name string) *client {
	c.t.Helper()
	settings := c.settings(name)
	secured, err := rest.TLSConfigFor(settings)
	if err != nil {
		c.t.Fatalf("TLS of %s: %v", name, err)
	}
	made := &client{t: c.t, url: settings.Host, token: settings.BearerToken, tls: secured}
	made.use(&http.Transport{TLSClientConfig: secured, ForceAttemptHTTP2: true, DisableCompression: true})
	return made
}

// newClient connects over HTTP/2, newClient1 over HTTP/1.1.
func newClient(t *testing.T, fleet *simulator.Fleet, name string) *client {
	t.Helper()
	return load(t, fleet).client(name)
}

func newClient1(t *testing.T, fleet *simulator.Fleet, name string) *client {
	t.Helper()
	c := newClient(t, fleet, name)
	c.tls = c.tls.Clone()
	c.tls.NextProtos = []string{"http/1.1"}
	c.use(&http.Transport{
		TLSClientConfig: c.tls, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}, DisableCompression: true,
	})
	return c
}

func (c *client) use(transport *http.Transport) {
	c.transport = transport
	c.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.t.Cleanup(transport.CloseIdleConnections)
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	proto  string
}

func (c *client) request(ctx context.Context, method, path string, body []byte, header map[string]string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range header {
		if value == "" {
			request.Header.Del(name)
			continue
		}
		request.Header.Set(name, value)
	}
	return c.http.Do(request)
}

// try asks and returns what came of it; the deadline is the test's patience.
func (c *client) try(path string) (reply, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	return read(c.request(ctx, http.MethodGet, path, nil, nil))
}

func (c *client) get(path string) reply { return c.getAs(path, nil) }

func (c *client) getAs(path string, header map[string]string) reply {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	answer, err := read(c.request(ctx, http.MethodGet, path, nil, header))
	if err != nil {
		c.t.Fatalf("GET %s: %v", path, err)
	}
	return answer
}

func (c *client) post(path string, body any) reply {
	c.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := read(c.request(c.t.Context(), http.MethodPost, path, data, nil))
	if err != nil {
		c.t.Fatalf("POST %s: %v", path, err)
	}
	return answer
}

func read(response *http.Response, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: string(body), proto: response.Proto}, err
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("decode %q: %v", head(r.body), err)
	}
}

// head keeps messages short.
func head(text string) string {
	if len(text) > 300 {
		return text[:300] + "…"
	}
	return text
}

func wantStatus(t *testing.T, r reply, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %s", r.status, status, head(r.body))
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			t.Errorf("%q is not in %q", part, head(r.body))
		}
	}
}

// eventually waits for what another goroutine is about to do.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}
