package cluster_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// TestAConnectionClosedOnOurSideIsReplaced does what client-go does to the connections of a client certificate that its
// plugin has renewed. The number of the closed socket goes to another one at once.
func TestAConnectionClosedOnOurSideIsReplaced(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var mu sync.Mutex
	var made []net.Conn
	config := a.config()
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		mu.Lock()
		defer mu.Unlock()
		made = append(made, conn)
		return conn, err
	}
	client := newClient(t, config)
	for range 3 {
		probe(t, client, cluster.Quick)
		mu.Lock()
		for _, conn := range made {
			_ = conn.Close()
		}
		mu.Unlock()
		other, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", a.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		probe(t, client, cluster.Quick)
	}
}

// otherBody is what a wrapper may put in place of an answer's body.
type otherBody struct{ io.ReadCloser }

type wrapper func(*http.Request) (*http.Response, error)

func (f wrapper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAWrapperThatChangesAnswersTouchesNoOtherCluster(t *testing.T) {
	t.Parallel()
	wrapped, other := newAPI(t), newClient(t, newAPI(t).config())
	config := wrapped.config()
	config.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return wrapper(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err == nil {
				resp.Body = otherBody{resp.Body}
			}
			return resp, err
		})
	}
	client := newClient(t, config)
	for range 2 {
		if _, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout); err != nil {
			t.Error(err)
		}
		probe(t, other, cluster.Quick)
	}
}
