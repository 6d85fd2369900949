package server_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestCompletionsAndSummarySayWhatWasCutShortAndWhatChanged(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4, Counts: fleettest.OnlyConfigMaps(700)})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.ExpiredContinue, Fresh: true})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Throttle})
	fleettest.SetFault(t, sim, names[2], simulator.Fault{Kind: simulator.Error503})
	conn := serve(t, f, server.Options{})
	for _, c := range []struct {
		limit, items int64
		truncated    bool
	}{{0, 700, false}, {600, 600, true}, {10, 10, true}, {700, 700, false}} {
		got := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), LimitPerCluster: c.limit})
		for _, name := range []string{names[0], names[3]} {
			end := got.clusters[name].completion
			if end.GetItems() != c.items || end.GetTruncated() != c.truncated || end.GetError() != nil {
				t.Errorf("at most %d: %s ended with %v", c.limit, name, end)
			}
			if changed := name == names[0] && c.limit != 10; end.GetInconsistent() != changed {
				t.Errorf("at most %d: %s is inconsistent: %t", c.limit, name, end.GetInconsistent())
			}
		}
		truncated := map[bool]int32{true: 2}[c.truncated]
		s := got.summary
		if s.GetTruncated() != truncated || s.GetSucceeded() != 2-truncated || s.GetFailed() != 2 || s.GetThrottled() != 2 || s.GetItems() != 2*c.items {
			t.Errorf("at most %d: %v", c.limit, s)
		}
		if s.GetClusterTime().AsDuration() <= 0 || s.GetQueued().AsDuration() <= 0 {
			t.Errorf("no times: %v", s)
		}
	}
}

func TestAListFromTheServersCacheIsOnePage(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(700)})
	conn := serve(t, f, server.Options{})
	got := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), AllowStale: true})
	if end := got.clusters[sim.Names()[0]].completion; end.GetPages() != 1 || end.GetItems() != 700 {
		t.Errorf("%v", end)
	}
	got = fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), AllowStale: true, LimitPerCluster: 10})
	if end := got.clusters[sim.Names()[0]].completion; !end.GetTruncated() || end.GetItems() != 10 || end.GetError() != nil {
		t.Errorf("with a limit, which the server does not heed: %v", end)
	}
}

// The next page is asked for ahead: a caller who does not read must not let two of them pile up.
func TestACallerWhoDoesNotReadStopsTheReadingOfManyPages(t *testing.T) {
	const clusters, objects, size = 5, 1500, 20_000 // three pages of 10 MB a cluster
	sim, f := fleettest.Start(t, simulator.Config{Clusters: clusters, Counts: fleettest.OnlyConfigMaps(objects), ObjectBytes: size})
	conn := serve(t, f, server.Options{})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(ctx, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	written := int64(-1)
	await(t, "nothing more is read", func() bool {
		<-time.After(300 * time.Millisecond)
		last := written
		written = sim.Stats().BytesWritten
		return written == last && written > clusters*size
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d KiB a cluster were read before the reading stopped; the heap has grown by %d MiB", written/clusters>>10, grown>>20)
	if written > clusters*16<<20 || grown > clusters*8<<20 { // the most that the sockets of two pages hold; of 30 MB
		t.Error("that is too much")
	}
	leave()
	await(t, "the servers see that the caller left", func() bool { return sim.Stats().InFlight == 0 })
}
