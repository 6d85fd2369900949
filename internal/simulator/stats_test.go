package simulator_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestStatsCountWhatWasServed(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 3})
	for _, name := range fleet.Names() {
		c := newClient1(t, fleet, name)
		c.tls.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		wantStatus(t, c.get("/readyz"), 200)
		c.transport.CloseIdleConnections()
		wantStatus(t, c.get("/readyz"), 200)
	}
	eventually(t, "all is quiet", func() bool { return fleet.Stats().InFlight == 0 && fleet.Stats().OpenConnections == 3 })
	got := fleet.Stats()
	if got.BytesWritten < 6*100 {
		t.Errorf("%d bytes written", got.BytesWritten)
	}
	got.BytesWritten = 0
	want := simulator.Stats{
		Clusters: 3, Requests: 6, PeakInFlight: 1, PeakInFlightOfCluster: 1, OpenConnections: 3, AcceptedConnections: 6,
		TLSHandshakes: 6, TLSResumed: 3, AbortTimesUnixNano: []int64{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one, ok := fleet.ClusterStats("sim-0002")
	wantOne := simulator.ClusterStats{Requests: 2, PeakInFlight: 1, OpenConnections: 1, AcceptedConnections: 2}
	if diff := cmp.Diff(wantOne, one); !ok || diff != "" {
		t.Errorf("sim-0002 (-want +got):\n%s", diff)
	}
	if _, ok := fleet.ClusterStats("sim-0004"); ok {
		t.Error("there are statistics of a cluster that does not exist")
	}
	fleet.ResetStats()
	want = simulator.Stats{Clusters: 3, OpenConnections: 3, AbortTimesUnixNano: []int64{}}
	if diff := cmp.Diff(want, fleet.Stats()); diff != "" {
		t.Errorf("after a reset (-want +got):\n%s", diff)
	}
}

func TestAbortsAreCountedWithTheirTime(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 5, Latency: simulator.Constant(time.Hour)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const each = 4
	var waiting sync.WaitGroup
	for i, name := range fleet.Names() {
		c := newClient(t, fleet, name)
		if i%2 == 1 {
			c = newClient1(t, fleet, name)
		}
		for j := range each {
			waiting.Go(func() {
				method, path, body := http.MethodGet, "/readyz", []byte(nil)
				if j == 0 {
					method, path, body = http.MethodPost, reviewPath, []byte("{}")
				}
				if _, err := read(c.request(ctx, method, path, body, nil)); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
	eventually(t, "all are in flight", func() bool { return fleet.Stats().InFlight == 5*each })
	before := time.Now()
	cancel()
	waiting.Wait()
	eventually(t, "all are aborted", func() bool { return fleet.Stats().InFlight == 0 })
	after := time.Now()
	stats := fleet.Stats()
	if stats.Aborted != 5*each || len(stats.AbortTimesUnixNano) != 5*each || stats.PeakInFlight != 5*each || stats.PeakInFlightOfCluster != each {
		t.Errorf("stats: %+v", stats)
	}
	for _, at := range stats.AbortTimesUnixNano {
		if at < before.UnixNano() || at > after.UnixNano() {
			t.Errorf("an abort at %v, not within %v and %v", time.Unix(0, at), before, after)
		}
	}
	if stats.LastAbortUnixNano != stats.AbortTimesUnixNano[5*each-1] {
		t.Errorf("the last abort is not the last of all")
	}
}

func TestClientThatLeavesInTheMiddleOfABodyIsAnAbort(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 1, Counts: map[string]int{"pods": 100}, ObjectBytes: 50_000})
	h1 := newClient1(t, fleet, "sim-0001")
	h1.transport.DialContext = dialNarrow // else most of the body is on its way before the client leaves
	for _, c := range []*client{newClient(t, fleet, "sim-0001"), h1} {
		fleet.ResetStats()
		ctx, cancel := context.WithCancel(t.Context())
		response, err := c.request(ctx, http.MethodGet, "/api/v1/pods", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, response.Body, 1000); err != nil {
			t.Fatal(err)
		}
		cancel()
		_ = response.Body.Close()
		eventually(t, "the abort is seen", func() bool { return fleet.Stats().Aborted == 1 })
	}
}

func dialNarrow(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetReadBuffer(4096)
	}
	return conn, err
}

func TestRequestsEndWithTheFleet(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 5, Latency: simulator.Constant(time.Hour)})
	const each = 40
	known, failed := load(t, fleet), make(chan error, 5*each)
	for i, name := range fleet.Names() {
		c := known.client(name)
		if i == 0 {
			c = newClient1(t, fleet, name)
		}
		for range each {
			go func() {
				_, err := read(c.request(t.Context(), http.MethodGet, "/readyz", nil, nil))
				failed <- err
			}()
		}
	}
	eventually(t, "the requests are in flight", func() bool { return fleet.Stats().InFlight == 5*each })
	if err := fleet.Close(); err != nil {
		t.Fatal(err)
	}
	if stats := fleet.Stats(); stats.OpenConnections != 0 || stats.InFlight != 0 || stats.Aborted != 0 {
		t.Errorf("left: %+v", stats)
	}
	for range 5 * each {
		if err := <-failed; err == nil {
			t.Error("a request was answered by a fleet that is closed")
		}
	}
}
