package monitor_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/monitor"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// world is a fleet in fake time whose clusters do what they are told, and take the time for it that real ones take.
type world struct {
	mu     sync.Mutex
	faults map[string]cluster.Reason
	warm   map[string]bool // has a kept connection
	probes []probed
	during int // probes under way
	most   int
	// duringFull and mostFull are those of the full ones.
	duringFull, mostFull int
	// frozen lets no probe end before its context.
	frozen bool
	// latency is how long an answer takes.
	latency time.Duration
	// slow is how long the answer of a broken cluster takes, if it is set.
	slow time.Duration

	transitions []health.Transition
	saved       map[string]health.Snapshot
	forgotten   []string
}

type probed struct {
	cluster string
	at      time.Time
	depth   cluster.Depth
}

func newWorld() *world {
	return &world{
		faults: map[string]cluster.Reason{}, warm: map[string]bool{}, saved: map[string]health.Snapshot{},
		latency: 20 * time.Millisecond,
	}
}

// set breaks clusters, or mends them by an empty reason.
func (w *world) set(reason cluster.Reason, clusters ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range clusters {
		w.faults[name] = reason
	}
}

// setLatency lets every answer take so long from now on.
func (w *world) setLatency(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency = d
}

// Check is a probe.
func (w *world) Check(ctx context.Context, name string, depth cluster.Depth) (*cluster.Verdict, error) {
	start := time.Now()
	w.mu.Lock()
	w.probes = append(w.probes, probed{name, start, depth})
	w.during++
	w.most = max(w.most, w.during)
	if depth == cluster.Full {
		w.duringFull++
		w.mostFull = max(w.mostFull, w.duringFull)
	}
	reason, frozen := w.faults[name], w.frozen
	took := w.latency
	switch {
	case frozen:
		took = time.Hour
	case reason == cluster.ConnectTimeout && w.warm[name] && depth == cluster.Quick:
		reason, took = cluster.ResponseTimeout, cluster.DefaultProbeTimeout
	case reason == cluster.ConnectTimeout:
		took = 3 * time.Second
	case reason != "" && w.slow > 0:
		took = w.slow
	}
	w.warm[name] = reason == ""
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.during--
		if depth == cluster.Full {
			w.duringFull--
		}
	}()
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	v := &cluster.Verdict{State: cluster.Healthy, Depth: depth, Duration: time.Since(start)}
	if reason != "" {
		e := cluster.NewError(reason, cluster.PhaseConnect, "it failed", nil)
		v.State, v.Reason, v.Blame, v.Message = reason.State(), reason, e.Blame, e.Message
	}
	return v, nil
}

// Append keeps a transition.
func (w *world) Append(t health.Transition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.transitions = append(w.transitions, t)
}

// Save keeps snapshots.
func (w *world) Save(snapshots ...health.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range snapshots {
		w.saved[s.Cluster] = s
	}
}

// Forget forgets.
func (w *world) Forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.saved, name)
	w.forgotten = append(w.forgotten, name)
}

// made counts the probes so far.
func (w *world) made() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.probes)
}

// after returns the transitions after a time, to a state.
func (w *world) after(start time.Time, to ...cluster.State) []health.Transition {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []health.Transition
	for _, t := range w.transitions {
		if !t.At.Before(start) && slices.Contains(to, t.To) {
			found = append(found, t)
		}
	}
	return found
}

// watch runs a monitor of n clusters in fake time until the test's end, and returns it when all are known to be healthy.
func watch(t *testing.T, w *world, n int) *monitor.Monitor {
	t.Helper()
	m := run(t, w, monitorOptions(w))
	m.Apply(definitions(n))
	pass(30 * time.Second)
	if got := count(m, cluster.Healthy); got != n {
		t.Fatalf("%d of %d clusters are healthy", got, n)
	}
	return m
}

func monitorOptions(w *world) monitor.Options { return monitor.Options{Keeper: w} }

func run(t *testing.T, w *world, options monitor.Options) *monitor.Monitor {
	t.Helper()
	m := monitor.New(w, options)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return m
}

// pass lets fake time pass.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

func definitions(n int) []cluster.Definition {
	all := make([]cluster.Definition, n)
	for i := range all {
		all[i] = cluster.Definition{Name: name(i), Config: &rest.Config{Host: fmt.Sprintf("https://10.%d.%d.1:6443", i/250, i%250)}}
	}
	return all
}

func name(i int) string { return fmt.Sprintf("c%04d", i) }

// names are those of the first n clusters.
func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = name(i)
	}
	return all
}

func count(m *monitor.Monitor, s cluster.State) int {
	n := 0
	for _, r := range m.Records() {
		if r.State == s {
			n++
		}
	}
	return n
}

// down are the states of a cluster that is not as it should be.
func down() []cluster.State {
	return []cluster.State{cluster.Degraded, cluster.Unreachable, cluster.Unauthorized}
}
