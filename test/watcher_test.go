package test_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// watcher follows the health of the fleet as its users are told to: it replaces what is changed, drops what is removed,
// and begins anew at a reset.
type watcher struct {
	// restless watchers leave again and again, and resume behind what they have seen last.
	restless bool

	mu                      sync.Mutex
	known                   map[string]*fleetv1.ClusterHealth
	token                   string
	anew                    bool // the snapshot after a reset is not whole yet
	events, resets, resumed int
}

// run watches until ctx ends, through every outage of the aggregator.
func (w *watcher) run(ctx context.Context, t *testing.T, c *client.Client) {
	for ctx.Err() == nil {
		if err := w.watch(ctx, c); err != nil && !passing(err) {
			t.Errorf("a watch ended: %v", err)
			return
		}
	}
}

// passing tells whether an error is of an outage, or of a caller who has left.
func passing(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.Canceled || code == codes.DeadlineExceeded
}

func (w *watcher) watch(ctx context.Context, c *client.Client) error {
	if w.restless {
		var leave context.CancelFunc
		ctx, leave = context.WithTimeout(ctx, 200*time.Millisecond+rand.N(2*time.Second))
		defer leave()
	}
	for event, err := range c.Watch(ctx, &fleetv1.WatchClusterHealthRequest{ResumeToken: w.token}) {
		if err != nil {
			return err
		}
		if err := w.take(event); err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) take(event *fleetv1.WatchClusterHealthResponse) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events++
	w.token = event.GetResumeToken()
	switch {
	case event.GetStarted().GetReset_():
		w.resets++
		w.known, w.anew = map[string]*fleetv1.ClusterHealth{}, true
	case event.GetStarted() != nil:
		w.resumed++
		if w.known == nil {
			return fmt.Errorf("the first watch does not begin with a reset: %v", event)
		}
	case event.GetChanged() != nil:
		return w.change(event.GetChanged())
	case event.GetRemoved() != nil:
		return fmt.Errorf("%s is removed, though nothing was taken from the fleet", event.GetRemoved().GetCluster())
	case event.GetSynced() != nil:
		if len(w.known) != killedClusters {
			return fmt.Errorf("a snapshot has %d clusters", len(w.known))
		}
		w.anew = false
	}
	return nil
}

// change takes in what replaces what was known of a cluster; within one life of the aggregator it is no older.
func (w *watcher) change(h *fleetv1.ClusterHealth) error {
	before := w.known[h.GetCluster()]
	w.known[h.GetCluster()] = h
	if h.GetObservation().GetObservedAt().AsTime().Before(before.GetObservation().GetObservedAt().AsTime()) && before.GetObservation() != nil {
		return fmt.Errorf("%v came after %v", h, before)
	}
	return nil
}

// differs tells in what the watcher does not know what the aggregator does.
func (w *watcher) differs(from map[string]*fleetv1.ClusterHealth) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.anew || len(w.known) != len(from) {
		return fmt.Errorf("%d of %d clusters are known", len(w.known), len(from))
	}
	for name, h := range from {
		if got, want := essence(w.known[name]), essence(h); got != want {
			return fmt.Errorf("%s is %s, the watcher was told %s", name, want, got)
		}
	}
	return nil
}

// essence is what every change of which is told.
func essence(h *fleetv1.ClusterHealth) string {
	return fmt.Sprint(h.GetState(), h.GetKnownState(), h.GetFlapping(), h.GetRestored(), h.GetObserverSuspect(), h.GetIncident(),
		h.GetObservation().GetVerdict().GetState(), h.GetObservation().GetVerdict().GetReason())
}

// historian reads the history again and again and remembers what it has read.
type historian struct{ seen map[string]bool }

func (h *historian) run(ctx context.Context, t *testing.T, c *client.Client) {
	const latest = 1500 // more than a page
	for ctx.Err() == nil {
		n := 0
		for transition, err := range c.ListTransitions(ctx, &fleetv1.ListTransitionsRequest{PageSize: 1000}) {
			if err != nil && !passing(err) {
				t.Errorf("the history ended: %v", err)
				return
			}
			if err != nil || n == latest {
				break
			}
			h.seen[happening(transition)] = true
			n++
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// check compares what was read with the history at the end.
func (h *historian) check(t *testing.T, end []*fleetv1.Transition) {
	t.Helper()
	kept := make(map[string]bool, len(end))
	last := uint64(0)
	states := map[string]fleetv1.Verdict_State{}
	breaks := 0
	for _, transition := range end {
		if kept[happening(transition)] || transition.GetSequence() <= last {
			t.Errorf("%v stands twice, or out of its order", transition)
		}
		kept[happening(transition)], last = true, transition.GetSequence()
		if before, ok := states[transition.GetCluster()]; ok && before != transition.GetFrom() {
			breaks++
		}
		states[transition.GetCluster()] = transition.GetTo()
	}
	lost := 0
	for happened := range h.seen {
		if !kept[happened] {
			if lost++; lost <= 10 {
				t.Errorf("%s was in the history and is not any more", strings.ReplaceAll(happened, "\x00", " "))
			}
		}
	}
	t.Logf("%d transitions were read while they came, %d are kept, %d are lost; %d begin with another state than the one before has ended with", len(h.seen), len(end), lost, breaks)
	if len(h.seen) < killedClusters {
		t.Errorf("only %d transitions were seen", len(h.seen))
	}
}

// happening tells a transition from all others.
func happening(t *fleetv1.Transition) string {
	return strings.Join([]string{t.GetCluster(), t.GetOccurredAt().AsTime().String(), t.GetFrom().String(), t.GetTo().String()}, "\x00")
}
