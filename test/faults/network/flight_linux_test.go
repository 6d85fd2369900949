package network_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// inFlight is a fleet of which some lists take long: that of configmaps to be sent, that of secrets to begin.
const inFlight = `faults:
- {clusters: "sim-0001,sim-0004", fault: huge-list, bytes: 2G, paths: [/api/v1/configmaps]}
- {clusters: sim-0002, fault: slow, latency: 6s, paths: [/api/v1/secrets]}
`

// reading is what a read of one cluster may take.
const reading = 8 * time.Second

// read is one that runs, or has ended.
type read struct {
	begun chan struct{}            // closed when the first objects are there
	ended chan *fleetv1.Completion // gets one, nil where the call fails
	// stalled returns how long the machine let the processes wait meanwhile.
	stalled func() time.Duration
}

// awaitBegun waits until the first objects are there. A read that ends before is no longer in flight.
func (r read) awaitBegun(t *testing.T) {
	t.Helper()
	select {
	case <-r.begun:
	case e := <-r.ended:
		t.Fatalf("it ended before it was to be disturbed: %v", e)
	}
}

// startRead reads a type of objects from one cluster.
func startRead(ctx context.Context, c *client.Client, resource, cluster string, stalled func() time.Duration) read {
	r := read{begun: make(chan struct{}), ended: make(chan *fleetv1.Completion, 1), stalled: stalled}
	go func() {
		var completion *fleetv1.Completion
		begun := false
		for batch, err := range c.FetchManifests(ctx, &fleetv1.FetchManifestsRequest{
			Selector:          &fleetv1.ClusterSelector{Names: []string{cluster}},
			ResourceType:      &fleetv1.ResourceType{Resource: resource, Version: "v1"},
			PerClusterTimeout: durationpb.New(reading),
		}).Results() {
			if err != nil {
				completion = nil
				break
			}
			completion = batch.GetCompletion()
			if completion == nil && !begun {
				begun = true
				close(r.begun)
			}
		}
		r.ended <- completion
	}()
	return r
}

func TestReadsInFlightEndByTheirDeadlineOrAtOnceAndTellHowFarTheyCame(t *testing.T) {
	apart(t, func() {
		w := newWorld(t, 5, inFlight, "--object-bytes", "2000")
		a := programs.Aggregator(t, w.kubeconfig, product.Unwatched)
		c := a.Client(t)
		start := func(resource, cluster string) read {
			return startRead(t.Context(), c, resource, cluster, observe(t, os.Getpid(), a.PID(), w.fleet.PID()))
		}
		good := func(when, cluster string) {
			t.Helper()
			r := start("pods", cluster)
			e := <-r.ended
			if stalled := r.stalled(); e.GetError() != nil || e.GetItems() == 0 || e.GetDuration().AsDuration() > atOnce+stalled {
				t.Errorf("%s, %s: %v, %s stalled", when, cluster, e, stalled)
			}
		}
		fails := func(what string, r read, reason, message string, least, most time.Duration) {
			t.Helper()
			e := <-r.ended
			most += busy + r.stalled()
			took := e.GetDuration().AsDuration()
			if client.Reason(client.StatusError(e.GetError())) != reason || took < least || took > most || !strings.Contains(e.GetError().GetMessage(), message) {
				t.Errorf("%s: after %s %v; want %s, %q, after %s to %s", what, took, e, reason, message, least, most)
			}
		}
		good("before", "sim-0003") // whose connection is kept

		body, wait := start("configmaps", "sim-0001"), start("secrets", "sim-0002")
		body.awaitBegun(t)
		w.fleet.AwaitTraffic(t, "sim-0002", "the other is asked", func(s product.Traffic) bool { return s.InFlight > 0 })
		silent := w.of("sim-0001", "sim-0002", "sim-0003")
		w.Silence(silent...)
		kept, fresh := start("pods", "sim-0003"), start("pods", "sim-0002")
		fails("in the middle of an answer", body, "RESPONSE_TIMEOUT", "the answer began", reading, reading)
		fails("before the answer", wait, "RESPONSE_TIMEOUT", "took the request", reading, reading)
		fails("on a kept connection", kept, "RESPONSE_TIMEOUT", "took the request", reading, reading)
		fails("on a new connection", fresh, "CONNECT_TIMEOUT", "connection attempt", dialing, dialing)
		good("beside them", "sim-0005")

		w.Heal(silent...)
		for _, cluster := range []string{"sim-0001", "sim-0002", "sim-0003"} {
			good("after the end", cluster)
		}

		body = start("configmaps", "sim-0004")
		body.awaitBegun(t)
		w.fleet.Kill(t) // the kernel tells those who are connected
		fails("when the server dies", body, "CONNECTION_RESET", "the connection was cut", 0, reading/2)
		fails("when it is dead", start("pods", "sim-0005"), "CONNECTION_REFUSED", "refused", 0, atOnce)
	})
}
