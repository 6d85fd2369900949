package test_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
)

// confirmed is more than it takes to confirm that a cluster is silent: three probes of 5 s each.
const confirmed = 20 * time.Second

func TestWhatWasKnownOutlivesTheAggregator(t *testing.T) {
	t.Parallel()
	const clusters = 20
	simulation := programs.Simulation(t, "faults: [{clusters: sim-0003, fault: not-ready}]", "--clusters", fmt.Sprint(clusters))
	flags := []string{"--data-dir", filepath.Join(t.TempDir(), "data"), "--grpc-address", freeAddress(t)}
	a := programs.Aggregator(t, simulation.Kubeconfig, flags...)
	state := func(name string) fleetv1.Verdict_State {
		if name == "sim-0003" {
			return degraded
		}
		return healthy
	}
	asBefore := func(h *fleetv1.ClusterHealth) bool { return in(state(h.GetCluster()))(h) }
	before := awaitHealth(t, a, asBefore)
	token := ""
	for event, err := range a.Client(t).Watch(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if token = event.GetResumeToken(); event.GetSynced() != nil {
			break
		}
	}
	past := transitions(t, a, nil)
	if len(past) != clusters {
		t.Errorf("%d clusters have %d transitions: %v", clusters, len(past), past)
	}
	a.Signal(t, syscall.SIGTERM)
	if code := a.Wait(t, 10*time.Second); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	ended := time.Now()

	// Nothing is heard of the clusters: what is known of them is from before.
	simulation.Signal(t, syscall.SIGSTOP)
	t.Cleanup(func() { simulation.Signal(t, syscall.SIGCONT) })
	a = programs.Aggregator(t, simulation.Kubeconfig, flags...)
	started := time.Now()
	silence := started.Sub(ended)
	restored := liveHealth(t, a)
	table := a.Fleetctl(t, "clusters", "sim-0003")
	if len(restored) != clusters {
		t.Errorf("there are %d clusters", len(restored))
	}
	for name, h := range restored {
		o := h.GetObservation()
		if h.GetState() != fleetv1.Verdict_STATE_UNKNOWN || h.GetKnownState() != state(name) || !h.GetRestored() {
			t.Errorf("got %v", h)
		}
		if o.GetVerdict().GetReason() != before[name].GetObservation().GetVerdict().GetReason() || !h.GetSince().AsTime().Equal(before[name].GetSince().AsTime()) {
			t.Errorf("got %v, before it was %v", h, before[name])
		}
		if at := o.GetObservedAt().AsTime(); at.After(ended) || o.GetAge().AsDuration() < silence {
			t.Errorf("%s was observed at %s, %s ago; the aggregator ended at %s", name, at, o.GetAge().AsDuration(), ended)
		}
	}
	for _, want := range []string{"UNKNOWN (was DEGRADED)", "restored"} {
		exits(t, table, 0, want, "")
	}
	if diff := cmp.Diff(past, transitions(t, a, nil), protocmp.Transform()); diff != "" {
		t.Errorf("the history is another one:\n%s", diff)
	}
	for event, err := range a.Client(t).Watch(t.Context(), &fleetv1.WatchClusterHealthRequest{ResumeToken: token}) {
		if err != nil || !event.GetStarted().GetReset_() {
			t.Errorf("a watch with a token from before began with %v, %v", event, err)
		}
		break
	}

	// Silence of all clusters for as long as a failure takes to be confirmed is not theirs.
	a.AwaitMetrics(t, "the aggregator doubts itself", func(m metrics.Metrics) bool {
		return m.Value("clusterfleet_monitor_observer_suspect") == 1
	})
	<-time.After(time.Until(started.Add(confirmed)))
	for name, h := range liveHealth(t, a) {
		if h.GetState() != fleetv1.Verdict_STATE_UNKNOWN || h.GetKnownState() != state(name) {
			t.Errorf("in the silence it was said: %v", h)
		}
	}
	simulation.Signal(t, syscall.SIGCONT)
	awaitHealth(t, a, asBefore)
	if diff := cmp.Diff(past, transitions(t, a, nil), protocmp.Transform()); diff != "" {
		t.Errorf("nothing has happened to the clusters, but the history is another one:\n%s", diff)
	}
	t.Run("a second one is refused its data", func(t *testing.T) {
		cannotStart(t, 1, "is in use by another process", "--data-dir", flags[1])
	})
}

func TestADataDirectoryThatCannotBeUsedIsToldInOneLine(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "file", "something else")
	cannotStart(t, 1, file, "--data-dir", file)
	cannotStart(t, 1, file, "--data-dir", filepath.Join(file, "below"))
	cannotStart(t, 1, "/proc/clusterfleet", "--data-dir", "/proc/clusterfleet") // where nobody can write
	cannotStart(t, 2, "--data-dir and --nats-url", "--data-dir", t.TempDir(), "--nats-url", "nats://127.0.0.1:1")
	cannotStart(t, 1, "nats://127.0.0.1:1", "--nats-url", "nats://127.0.0.1:1")
}

// cannotStart runs an aggregator that must end at once with the exit code and one line that says why.
func cannotStart(t *testing.T, code int, why string, flags ...string) {
	t.Helper()
	r := programs.Run(t, "aggregator", append([]string{"--kubeconfig", nobody(t), "--grpc-address", "127.0.0.1:0", "--http-address", ""}, flags...)...)
	exits(t, r, code, "", why)
	if r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 || !strings.HasPrefix(r.Stderr, "aggregator: ") {
		t.Errorf("%q: got %q and %q, want one line", flags, r.Stdout, r.Stderr)
	}
}

// freeAddress returns a loopback address for a server that is to be started there more than once. Its port is none that
// the system gives away by itself meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.N(12000)))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return listener.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}
