package network_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// patience is for what has no deadline of its own, on a machine that is busy.
const patience = 45 * time.Second

// watch is what a watcher was told, as it came.
type watch struct {
	mu      sync.Mutex
	seen    []sight
	changed chan struct{} // closed and replaced when seen grows
}

// sight is what was told of a cluster at a time.
type sight struct {
	at time.Time
	*fleetv1.ClusterHealth
}

// verdict is what the latest probe found then.
func (s sight) verdict() *fleetv1.Verdict { return s.GetObservation().GetVerdict() }

// startWatch watches the whole fleet until the test ends. The watch must not break off before.
func startWatch(t *testing.T, a *product.Aggregator) *watch {
	t.Helper()
	w := &watch{changed: make(chan struct{})}
	c := a.Client(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.read(c.Watch(ctx, nil)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the watch ended: %v", err)
		}
	})
	return w
}

func (w *watch) read(events func(func(*fleetv1.WatchClusterHealthResponse, error) bool)) error {
	for event, err := range events {
		if err != nil {
			return err
		}
		if event.GetChanged() == nil {
			continue
		}
		w.mu.Lock()
		w.seen = append(w.seen, sight{time.Now(), event.GetChanged()})
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
	}
	return errors.New("without an error")
}

// since returns what was told after a time, as far as it has come.
func (w *watch) since(begin time.Time) []sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := slices.IndexFunc(w.seen, func(s sight) bool { return s.at.After(begin) })
	if first < 0 {
		return nil
	}
	return slices.Clone(w.seen[first:])
}

// await waits until what is known last of each cluster is as it should be.
func (w *watch) await(t *testing.T, limit time.Duration, what string, done func(latest map[string]sight) bool) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	latest, read := map[string]sight{}, 0
	for {
		w.mu.Lock()
		fresh, changed := w.seen[read:], w.changed
		read = len(w.seen)
		w.mu.Unlock()
		for _, s := range fresh {
			latest[s.GetCluster()] = s
		}
		if done(latest) {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Fatalf("within %s it is not told that %s; there are %v", limit, what, count(latest))
		}
	}
}

// count returns how many clusters are in each state, for a failed test's log.
func count(latest map[string]sight) map[string]int {
	states := map[string]int{}
	for _, s := range latest {
		states[s.GetState().String()+" "+s.verdict().GetReason().String()]++
	}
	return states
}

func all(latest map[string]sight, is func(sight) bool) bool {
	return !slices.ContainsFunc(slices.Collect(maps.Values(latest)), func(s sight) bool { return !is(s) })
}

// awaitState waits until the clusters are told to be in a state.
func (w *watch) awaitState(t *testing.T, limit time.Duration, state fleetv1.Verdict_State, clusters ...string) {
	t.Helper()
	w.await(t, limit, state.String()+" is each of its clusters", func(latest map[string]sight) bool {
		return !slices.ContainsFunc(clusters, func(name string) bool { return latest[name].GetState() != state })
	})
}

// untouched checks that since then nothing was told of any cluster but the named ones.
func (w *watch) untouched(t *testing.T, begin time.Time, but ...string) {
	t.Helper()
	for _, s := range w.since(begin) {
		if v := s.verdict(); !slices.Contains(but, s.GetCluster()) && (s.GetState() != healthy || v.GetState() != healthy) {
			t.Errorf("%s after the fault of others, %s is %s: %s %s", s.at.Sub(begin), s.GetCluster(), s.GetState(), v.GetReason(), v.GetMessage())
		}
	}
}
