package test_test

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// storeService is the name under which the aggregator tells of its store in grpc.health.v1.
const storeService = "clusterfleet.store"

func TestAnExternalStoreMayGoAndComeBack(t *testing.T) {
	t.Parallel()
	nats := newNATS(t)
	server := nats.start(t)
	// Some clusters change their states all the time.
	simulation := programs.Simulation(t, "faults: [{clusters: sim-000*, fault: flap, as: not-ready, period: 8s}]", "--clusters", "20")
	flags := []string{"--nats-url", "nats://" + nats.address, "--probe-interval", "1s"}
	a := programs.Aggregator(t, simulation.Kubeconfig, flags...)
	storing(t, a, true)
	a.AwaitMetrics(t, "states change", func(m metrics.Metrics) bool { return changed(m) >= 20+9 })
	kept(t, a)

	server.Kill(t)
	storing(t, a, false)
	before := a.Metrics(t)
	if before.Value("clusterfleet_monitor_probes_total") == 0 {
		t.Fatal("the metrics do not count probes")
	}
	a.AwaitMetrics(t, "probing goes on", func(m metrics.Metrics) bool {
		return m.Value("clusterfleet_monitor_probes_total") > before.Value("clusterfleet_monitor_probes_total")+40 && changed(m) > changed(before)
	})
	if n := len(liveHealth(t, a)); n != 20 {
		t.Errorf("it serves the health of %d clusters", n)
	}
	exits(t, a.Fleetctl(t, "clusters", "sim-0020"), 0, "HEALTHY", "")
	exits(t, a.Fleetctl(t, "history", "--timeout", "20s"), 1, "", "error: ")

	nats.start(t)
	storing(t, a, true)
	past := kept(t, a)
	a.Signal(t, syscall.SIGTERM)
	if code := a.Wait(t, 10*time.Second); code != 0 {
		t.Errorf("exit code %d: %s", code, a.Stderr.Tail())
	}
	a = programs.Aggregator(t, simulation.Kubeconfig, flags...)
	if diff := cmp.Diff(past, transitions(t, a, nil)[:len(past)], protocmp.Transform()); diff != "" {
		t.Errorf("the history is another one:\n%s", diff)
	}
}

// storing waits until the aggregator says whether it can write to its store, in its metrics and to grpc.health.v1.
func storing(t *testing.T, a *product.Aggregator, good bool) {
	t.Helper()
	want := 1.0
	if good {
		want = 0
	}
	a.AwaitMetrics(t, "the store's state is shown", func(m metrics.Metrics) bool {
		return m["clusterfleet_store_degraded"] != nil && m.Value("clusterfleet_store_degraded") == want
	})
	if err := process.Poll(t.Context(), func() (bool, error) {
		serving, err := a.Client(t).Serving(t.Context(), storeService)
		return err == nil && serving == good, err
	}); err != nil {
		t.Fatalf("the store's service is not told as it is: %v", err)
	}
	if serving, err := a.Client(t).Serving(t.Context(), ""); err != nil || !serving {
		t.Errorf("the aggregator itself serves: %v, %v", serving, err)
	}
}

// changed is how often states have changed since the aggregator started.
func changed(m metrics.Metrics) int { return int(m.Value("clusterfleet_monitor_transitions_total")) }

// kept waits until all transitions so far are in the history, and returns that.
func kept(t *testing.T, a *product.Aggregator) (past []*fleetv1.Transition) {
	t.Helper()
	happened := changed(a.Metrics(t))
	a.AwaitMetrics(t, "what has happened is kept", func(metrics.Metrics) bool {
		past = transitions(t, a, nil)
		return len(past) >= happened
	})
	return past
}

// nats is a NATS server that is not the product's.
type nats struct{ executable, address, dir string }

func newNATS(t *testing.T) nats {
	t.Helper()
	dir := t.TempDir()
	n := nats{executable: filepath.Join(dir, "nats-server"), address: freeAddress(t), dir: filepath.Join(dir, "data")}
	cmd := exec.Command("go", "build", "-o", n.executable, "github.com/nats-io/nats-server/v2")
	if r := process.RunCommand(t, 10*time.Minute, cmd); r.Code != 0 {
		t.Fatalf("build nats-server: %s", r.Stderr)
	}
	return n
}

// start runs the server with what it has stored before, and returns when it serves.
func (n nats) start(t *testing.T) *process.Process {
	t.Helper()
	p := process.Start(t, n.executable, "--addr", "127.0.0.1", "--port", portOf(t, n.address), "--jetstream", "--store_dir", n.dir)
	p.Stderr.Await(t, "Server is ready")
	return p
}
