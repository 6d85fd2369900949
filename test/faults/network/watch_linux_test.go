package network_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/stalls"
)

// watch is what an attentive watcher of the whole fleet was told, and still is.
type watch struct {
	mu      sync.Mutex
	record  *checker.Watch
	changed chan struct{} // closed and replaced when there is more
	// end ends the watch and returns when nothing more is recorded.
	end func()
}

// startWatch watches until it is ended, with the test at the latest, and beside it how the machine treats the processes. The
// watch must not break off before.
func startWatch(t *testing.T, h *checker.History, c *client.Client, pids ...int) *watch {
	t.Helper()
	w := &watch{record: h.Watch("the watcher", "", true), changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.read(ctx, c) }()
	observed := make(chan struct{})
	go func() {
		defer close(observed)
		stalls.Observe(ctx, h, pids...)
	}()
	w.end = sync.OnceFunc(func() {
		cancel()
		<-observed
		if err := <-done; status.Code(err) != codes.Canceled && !errors.Is(err, context.Canceled) {
			t.Errorf("the watch ended: %v", err)
		}
	})
	t.Cleanup(w.end)
	return w
}

func (w *watch) read(ctx context.Context, c *client.Client) error {
	for event, err := range c.Watch(ctx, nil) {
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.record.See(event)
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
	}
	return errors.New("without an error")
}

// seen returns what was told so far, and a channel that is closed when there is more.
func (w *watch) seen() ([]checker.Sight, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.record.Seen), w.changed
}

// fleet is what is known last of each cluster.
type fleet map[string]*fleetv1.ClusterHealth

// are reports whether all of the clusters are in a state.
func (f fleet) are(state fleetv1.Verdict_State, clusters []string) bool {
	return !slices.ContainsFunc(clusters, func(name string) bool { return f[name].GetState() != state })
}

// await waits until what is known is as it should be.
func (w *watch) await(t *testing.T, limit time.Duration, what string, done func(fleet) bool) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	known, read := fleet{}, 0
	for {
		seen, changed := w.seen()
		for _, s := range seen[read:] {
			if h := s.Event.GetChanged(); h != nil {
				known[h.GetCluster()] = h
			}
		}
		read = len(seen)
		if done(known) {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Fatalf("within %s it is not told that %s; there are %v", limit, what, known.count())
		}
	}
}

// count returns how many clusters are in each state, for a failed test's log.
func (f fleet) count() map[string]int {
	states := map[string]int{}
	for h := range maps.Values(f) {
		states[h.GetState().String()+" by "+h.GetObservation().GetVerdict().GetReason().String()]++
	}
	return states
}
