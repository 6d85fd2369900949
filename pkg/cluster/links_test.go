package cluster_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// TestNoConnectionIsBegunBesideThoseThatAreStillClosing has a server that ends each connection with its answer, and
// connections that take their time to close: net/http would make another one beside them.
func TestNoConnectionIsBegunBesideThoseThatAreStillClosing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		healthy(w, r)
	})
	closing := make(chan struct{})
	config := a.config()
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{conn, func() { <-closing }}, nil
	}
	client := newClient(t, config)
	for range cluster.MaxReads {
		if e := readAll(t.Context(), t, client, pods); e != nil {
			t.Fatal(e)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if e := readAll(ctx, t, client, pods); e == nil || e.Phase != cluster.PhaseQueue {
		t.Errorf("a read beside %d connections that are closing: %v", cluster.MaxReads, e)
	}
	if n := a.conns.Load(); n != cluster.MaxReads {
		t.Errorf("%d connections", n)
	}
	close(closing)
	if e := readAll(t.Context(), t, client, pods); e != nil {
		t.Error("a read once they are closed:", e)
	}
}
