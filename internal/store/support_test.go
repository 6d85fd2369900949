package store_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// open opens a store that is closed when the test ends.
func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

// shut closes a store, which has to write all that is pending.
func shut(t testing.TB, s *store.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// eventually waits for what becomes true without any event that a caller could wait for.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("it never came to this: " + what)
		case <-tick.C:
		}
	}
}

// settle waits until all that was given to the store is written.
func settle(t testing.TB, s *store.Store) {
	t.Helper()
	eventually(t, "nothing is pending", func() bool {
		stats := s.Stats()
		return stats.PendingTransitions == 0 && stats.PendingSnapshots == 0 && stats.Lag == 0
	})
}

func transition(name string, n int) health.Transition {
	return health.Transition{
		Cluster: name,
		At:      time.Date(2026, 5, 1, 0, 0, 0, n, time.UTC),
		From:    cluster.Healthy,
		To:      cluster.Unreachable,
		Reason:  cluster.ConnectTimeout,
		Blame:   cluster.BlameNetwork,
		Message: fmt.Sprintf("dial tcp 10.0.0.%d:443: timeout", n),
		Lasted:  time.Hour + time.Duration(n),
	}
}

func snapshot(name string) health.Snapshot {
	at := time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.UTC)
	return health.Snapshot{
		Cluster:     name,
		State:       cluster.Unknown,
		Known:       cluster.Degraded,
		Since:       at.Add(-time.Hour),
		At:          at,
		LastSuccess: at.Add(-2 * time.Hour),
		Verdict: &cluster.Verdict{
			State:         cluster.Degraded,
			Reason:        cluster.NotReady,
			Blame:         cluster.BlameControlPlane,
			Message:       "etcd is not ready",
			Hint:          "look at etcd",
			Depth:         cluster.Full,
			ServerVersion: "v1.37.2",
			Username:      "system:serviceaccount:a:b",
			FailingChecks: []string{"etcd", "poststarthook/x"},
		},
		Expiries: []cluster.Expiry{{Kind: cluster.TokenExpiry, At: at.Add(time.Hour)}},
		Uptime:   []byte{0, 1, 2, 255},
	}
}

func history(t testing.TB, s *store.Store, q health.HistoryQuery) []health.Transition {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	found, err := s.Transitions(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func load(t testing.TB, s *store.Store) []health.Snapshot {
	t.Helper()
	found, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(found, func(a, b health.Snapshot) int { return strings.Compare(a.Cluster, b.Cluster) })
	return found
}

func only(names ...string) map[string]struct{} {
	set := map[string]struct{}{}
	for _, name := range names {
		set[name] = struct{}{}
	}
	return set
}

func sequences(transitions []health.Transition) []uint64 {
	var all []uint64
	for _, x := range transitions {
		all = append(all, x.Sequence)
	}
	return all
}

// syncBuffer is a buffer for the lines of several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
