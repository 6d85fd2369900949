package cluster_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// greetings count the handshakes that have been begun and wait for leave to go on.
type greetings struct {
	leave chan struct{}

	mu            sync.Mutex
	waiting, most int
}

// begin counts one until end.
func (g *greetings) begin() (end func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting++
	g.most = max(g.most, g.waiting)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.waiting--
	}
}

// greeting is a connection whose first bytes, with which a handshake begins, wait for leave.
type greeting struct {
	net.Conn
	all  *greetings
	once sync.Once
}

// Write waits at first.
func (g *greeting) Write(p []byte) (int, error) {
	g.once.Do(func() {
		defer g.all.begin()()
		<-g.all.leave
	})
	return g.Conn.Write(p)
}

func TestHandshakesOfAFleetAreBounded(t *testing.T) {
	t.Parallel()
	const clients, atOnce = 16, 3
	all := &greetings{leave: make(chan struct{})}
	dialed := make(chan struct{}, clients)
	config := newAPI(t).config()
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		dialed <- struct{}{}
		return &greeting{Conn: conn, all: all}, err
	}
	shared := cluster.Options{Handshakes: semaphore.NewWeighted(atOnce)}
	var group sync.WaitGroup
	for range clients {
		client, err := cluster.New(cluster.Definition{Name: "c", Config: config}, shared)
		must(err)
		group.Go(func() {
			defer client.Close()
			if v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout); err != nil || v.State != cluster.Healthy {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
	for range clients {
		<-dialed
	}
	for range clients {
		all.leave <- struct{}{}
	}
	group.Wait()
	if all.most > atOnce {
		t.Errorf("%d handshakes were under way at once, want at most %d", all.most, atOnce)
	}
}
