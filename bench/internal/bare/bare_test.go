package bare_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/bench/internal/bare"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve returns the configuration of a client of a server that answers with handle.
func serve(t *testing.T, handle http.HandlerFunc) *rest.Config {
	server := httptest.NewTLSServer(handle)
	t.Cleanup(server.Close)
	return &rest.Config{
		Host:        server.URL,
		BearerToken: "secret",
		TLSClientConfig: rest.TLSClientConfig{
			CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		},
	}
}

func dial(t *testing.T, config *rest.Config) *bare.Conn {
	conn, err := bare.Dial(t.Context(), config, "/readyz", "Accept: application/json\r\n")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestConnectionAsksAgainAndAgain(t *testing.T) {
	var seen []string
	conn := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.RemoteAddr+r.URL.Path+r.Header.Get("Authorization")+r.Header.Get("Accept"))
		_, _ = io.WriteString(w, "ok") // the client's Ask tells if it fails
	}))
	for range 3 {
		if err := conn.Ask(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{seen[0], seen[0], seen[0]}, seen); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if want := "/readyzBearer secretapplication/json"; seen[0][len(seen[0])-len(want):] != want {
		t.Errorf("request %q, want it to end in %q", seen[0], want)
	}
}

func TestAnswerThatIsNoGoodOneIsAnError(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"503":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"no length":  func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() },
		"too long":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<14)) },
		"connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := dial(t, serve(t, handle)).Ask(); err == nil {
				t.Error("no error")
			}
		})
	}
}
