package server_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// flood makes more changes than are sent ahead to who does not read, each of another cluster.
func flood(m *monitor) (clusters int) {
	const many = 3000
	for i := range many {
		m.publish(failing(fmt.Sprintf("c%04d", i)))
		synctest.Wait()
	}
	return many
}

func TestAWatcherWhoDoesNotReadDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor()
		client, shutdown := serveInBubble(t, m)
		stalled, reading := watch(t, client, &fleetv1.WatchClusterHealthRequest{}), watch(t, client, &fleetv1.WatchClusterHealthRequest{})
		stalled.mustGet(t, "reset synced")
		reading.mustGet(t, "reset synced")
		told := make(chan int)
		go func() {
			n := 0
			for range 3000 {
				if _, err := reading.Recv(); err != nil {
					break
				}
				n++
			}
			told <- n
		}()
		start := time.Now()
		if changes, got := flood(m), <-told; got != changes {
			t.Errorf("of %d changes the other was told %d", changes, got)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the other was held up for %v", took)
		}
		<-time.After(29 * time.Second)
		m.publish(record("last", cluster.Healthy)) // no progress of the one who does not read
		reading.mustGet(t, "last=HEALTHY")
		<-time.After(2 * time.Second)
		got := 0
		for {
			event, err := stalled.Recv()
			if err != nil {
				mustEndWith(t, err, codes.ResourceExhausted, stalled.token)
				break
			}
			stalled.token = event.GetResumeToken()
			got++
		}
		resumed := watch(t, client, &fleetv1.WatchClusterHealthRequest{ResumeToken: stalled.token})
		resumed.mustGet(t, "started "+fmt.Sprintf("c%04d=UNREACHABLE", got))
		resumed.leave()
		reading.leave()
		shutdown()
	})
}

func TestAWatcherWhoReadsAgainGetsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor()
		client, shutdown := serveInBubble(t, m)
		w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
		w.mustGet(t, "reset synced")
		clusters := flood(m)
		for i := range clusters {
			m.publish(record(fmt.Sprintf("c%04d", i), cluster.Healthy))
		}
		state := map[string]fleetv1.Verdict_State{}
		healthy, events := 0, 0
		for healthy < clusters {
			event, err := w.Recv()
			if err != nil {
				t.Fatal(err)
			}
			events++
			health := event.GetChanged()
			if state[health.GetCluster()] = health.GetState(); health.GetState() == fleetv1.Verdict_STATE_HEALTHY {
				healthy++
			}
		}
		if len(state) != clusters || events >= 2*clusters {
			t.Errorf("%d clusters in %d events: what was not sent in time is to be replaced", len(state), events)
		}
		w.leave()
		shutdown()
	})
}

func TestWatchersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor(record("a", cluster.Healthy))
		client, shutdown := serveInBubble(t, m)
		for range 3 { // each is the first and the last one
			w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
			w.mustGet(t, "reset a=HEALTHY synced")
			m.publish(record("a", cluster.Degraded))
			w.mustGet(t, "a=DEGRADED")
			w.leave()
			synctest.Wait()
			m.publish(record("a", cluster.Healthy))
		}
		shutdown()
	})
}

func TestAWatcherWhoStopsInTheSnapshotDelaysNoOther(t *testing.T) {
	for clusters := 200; clusters <= 480; clusters += 28 { // some leave gRPC's quota of a stream nearly used up
		synctest.Test(t, func(t *testing.T) {
			m := newMonitor()
			for i := range clusters {
				m.publish(failing(fmt.Sprintf("c%04d", i)))
			}
			client, shutdown := serveInBubble(t, m, grpc.WithInitialWindowSize(1<<16), grpc.WithInitialConnWindowSize(1<<20))
			stalled := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
			stalled.mustGet(t, "reset") // and reads no more
			synctest.Wait()
			reading := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
			mustRead(t, reading, 1+clusters+1)
			synctest.Wait()
			start := time.Now()
			told := make(chan struct{})
			go func() {
				mustRead(t, reading, clusters)
				close(told)
			}()
			for i := range clusters {
				m.publish(failing(fmt.Sprintf("c%04d", i)))
				synctest.Wait()
			}
			<-told
			if took := time.Since(start); took != 0 {
				t.Errorf("%d clusters: the other was held up for %v", clusters, took)
			}
			stalled.leave()
			reading.leave()
			shutdown()
		})
	}
}

func mustRead(t *testing.T, w *watcher, events int) {
	t.Helper()
	for range events {
		if _, err := w.Recv(); err != nil {
			t.Error(err)
			return
		}
	}
}
