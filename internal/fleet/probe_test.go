package fleet_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestProbeTellsWhatIsWrongWithEachCluster(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 9, OwnPorts: true})
	names := sim.Names()
	faults := []simulator.Fault{
		{Kind: simulator.Refuse},
		{Kind: simulator.TLSExpired},
		{Kind: simulator.TLSUnknownCA},
		{Kind: simulator.Unauthorized},
		{Kind: simulator.PermissionDenied},
		{Kind: simulator.NotReady},
		{Kind: simulator.Throttle, RetryAfter: 1 << 31},
	}
	for i, fault := range faults {
		fleettest.SetFault(t, sim, names[i], fault)
	}
	definitions := append(fleettest.Definitions(t, sim), cluster.Definition{Name: "virtual", Virtual: true})
	f := fleettest.Of(t, definitions, fleet.Options{})

	results := probeAll(t.Context(), t, f, fleet.ProbeRequest{Depth: cluster.Full})
	var summary fleet.Summary
	got := make(map[string]string)
	for name, r := range results {
		summary.Probe(r)
		if r.Skipped {
			got[name] = "skipped"
			continue
		}
		if r.Err != nil {
			t.Errorf("%s: %v", name, r.Err)
		}
		got[name] = string(r.Observation.Verdict.Reason)
	}
	want := map[string]string{
		names[0]: "CONNECTION_REFUSED", names[1]: "TLS_EXPIRED", names[2]: "TLS_UNKNOWN_AUTHORITY", names[3]: "UNAUTHENTICATED",
		names[4]: "FORBIDDEN", names[5]: "NOT_READY", names[6]: "THROTTLED", names[7]: "", names[8]: "", "virtual": "skipped",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := results[names[6]].Observation.Verdict.RetryAfter; d <= 0 || d > time.Minute {
		t.Errorf("the throttled cluster may be asked again after %v", d)
	}
	if diff := cmp.Diff(fleet.Summary{Succeeded: 2, Failed: 7, Skipped: 1}, summary); diff != "" {
		t.Error(diff)
	}
	for name, r := range results {
		if c, err := f.Cluster(name); err != nil || c.Latest != r.Observation && (c.Latest == nil || *c.Latest != *r.Observation) {
			t.Errorf("%s: what was found is not the latest: %v", name, err)
		}
	}
}

func TestTheLastSuccessOutlivesTheClustersFall(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	first := probeAll(t.Context(), t, f, fleet.ProbeRequest{})[name].Observation
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Error500})
	second := probeAll(t.Context(), t, f, fleet.ProbeRequest{})[name].Observation
	if first.LastSuccess != first.At || second.LastSuccess != first.At || second.Verdict.State != cluster.Degraded {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestACallersHasteSaysNothingAboutTheCluster(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	healthy := probeAll(t.Context(), t, f, fleet.ProbeRequest{})[name].Observation
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})

	hasty := probeAll(t.Context(), t, f, fleet.ProbeRequest{Timeout: 500 * time.Millisecond})[name]
	if hasty.Err != nil || hasty.Observation.Verdict.Reason != cluster.ResponseTimeout || hasty.Observation.LastSuccess != healthy.At {
		t.Errorf("the hasty caller got %+v", hasty.Observation)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	cut := probeAll(ctx, t, f, fleet.ProbeRequest{})[name]
	if cut.Err == nil || cut.Observation.Verdict.State != cluster.Unknown || cut.Observation.LastSuccess != healthy.At {
		t.Errorf("the caller whose time ran out got %+v", cut)
	}
	if c, err := f.Cluster(name); err != nil || c.Latest.Verdict.State != cluster.Healthy {
		t.Errorf("the latest is %+v, %v", c.Latest, err)
	}
}

func TestProbeStartsTheLivingFirstAndTheDeadLast(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 6, OwnPorts: true})
	names := sim.Names()
	definitions := fleettest.Definitions(t, sim)
	f := fleettest.Of(t, definitions[:5], fleet.Options{})
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.Refuse})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Unauthorized})
	probeAll(t.Context(), t, f, fleet.ProbeRequest{Depth: cluster.Quick})
	if err := f.Apply(definitions); err != nil { // one more, of which nothing is known
		t.Fatal(err)
	}
	run, err := f.Probe(t.Context(), fleet.ProbeRequest{Depth: cluster.Quick, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for r := range run.Results {
		order = append(order, r.Cluster)
	}
	slices.Sort(order[:3])
	slices.Sort(order[4:])
	if diff := cmp.Diff(slices.Concat(names[2:], names[:2]), order); diff != "" {
		t.Error(diff)
	}
}

func TestTheEndOfTheCallsTimeIsNoStatementAboutClusters(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 12})
	names := sim.Names()
	for _, name := range names[2:] {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	probeAll(t.Context(), t, f, fleet.ProbeRequest{Selector: fleet.Selector{Names: names[:2]}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	start := time.Now()
	results := probeAll(ctx, t, f, fleet.ProbeRequest{Limit: 5})
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	var summary fleet.Summary
	for name, r := range results {
		summary.Probe(r)
		if r.Err == nil {
			continue
		}
		if r.Err.Blame != cluster.BlameObserver || r.Observation.Verdict.State != cluster.Unknown {
			t.Errorf("%s: %+v", name, r.Err)
		}
		queued := r.Err.Reason == cluster.NotAttempted && strings.Contains(r.Err.Message, "queued")
		waiting := r.Err.Reason == cluster.ResponseTimeout && strings.Contains(r.Err.Message, "waiting for the answer")
		if !queued && !waiting {
			t.Errorf("%s: %s, %s", name, r.Err.Reason, r.Err.Message)
		}
	}
	if diff := cmp.Diff(fleet.Summary{Succeeded: 2, Failed: 5, NotAttempted: 5}, summary); diff != "" {
		t.Error(diff)
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestTwoCallersCostOneProbe(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Slow, Latency: simulator.Constant(2 * time.Second)})

	probe := func(ctx context.Context, r fleet.ProbeRequest) <-chan fleet.ProbeResult {
		result := make(chan fleet.ProbeResult, 1)
		go func() { result <- probeAll(ctx, t, f, r)[name] }()
		return result
	}
	inFlight := func(n int64) {
		await(t, "the requests are at the server", func() bool { s, _ := sim.ClusterStats(name); return s.InFlight == n })
	}
	first := probe(t.Context(), fleet.ProbeRequest{})
	inFlight(1)
	second := probe(t.Context(), fleet.ProbeRequest{})
	if a, b := <-first, <-second; a.Observation != b.Observation || a.Observation == nil {
		t.Errorf("two callers at the same time got %+v and %+v", a, b)
	}

	// The first leaves, the second stays.
	sim.ResetStats()
	ctx, leave := context.WithCancel(t.Context())
	first = probe(ctx, fleet.ProbeRequest{Depth: cluster.Quick})
	inFlight(1)
	second = probe(t.Context(), fleet.ProbeRequest{Depth: cluster.Quick})
	await(t, "the second has boarded", func() bool { return f.Callers() == 2 })
	leave()
	if r := <-first; r.Err == nil || !errors.Is(r.Err, context.Canceled) || !strings.Contains(r.Err.Message, "waiting for the answer") {
		t.Errorf("the one who left got %+v", r)
	}
	if r := <-second; r.Err != nil || r.Observation.Verdict.State != cluster.Healthy {
		t.Errorf("the one who stayed got %+v", r)
	}
	awaitCounted(t, sim)
	if s := sim.Stats(); s.Requests != 1 || s.Aborted != 0 {
		t.Errorf("the server has seen %d requests, %d aborted", s.Requests, s.Aborted)
	}

	// Another depth or timeout is another probe.
	sim.ResetStats()
	first = probe(t.Context(), fleet.ProbeRequest{Depth: cluster.Quick})
	second = probe(t.Context(), fleet.ProbeRequest{Depth: cluster.Quick, Timeout: time.Second})
	if a, b := <-first, <-second; a.Observation == b.Observation {
		t.Error("callers with different timeouts shared a probe")
	}
	await(t, "the server has seen two requests", func() bool { return sim.Stats().Requests == 2 }) // an abort comes late
}

func TestTheLastCallerWhoLeavesAbortsTheProbe(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	fleettest.SetFault(t, sim, sim.Names()[0], simulator.Fault{Kind: simulator.Hang})
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{}, 2)
	for range 2 {
		go func() {
			probeAll(ctx, t, f, fleet.ProbeRequest{})
			done <- struct{}{}
		}()
	}
	await(t, "the request is at the server", func() bool { return sim.Stats().InFlight == 1 && f.Callers() == 2 })
	left := time.Now()
	leave()
	<-done
	<-done
	await(t, "the server sees the abort", func() bool { return sim.Stats().Aborted == 1 })
	after := time.Duration(sim.Stats().LastAbortUnixNano - left.UnixNano())
	t.Logf("the server saw the abort after %v", after)
	if after > time.Second {
		t.Error("that is too late")
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestManyProbesOfOneClusterTakeNoTurnFromTheOthers(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.Hang})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var callers sync.WaitGroup
	for i := range fleet.MaxLimit {
		r := fleet.ProbeRequest{Selector: fleet.Selector{Names: names[:1]}, Timeout: time.Minute + time.Duration(i)}
		callers.Go(func() { probeAll(ctx, t, f, r) })
	}
	await(t, "all probe the cluster that hangs", func() bool { return f.Callers() == fleet.MaxLimit && sim.Stats().InFlight == 1 })
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r := probeAll(soon, t, f, fleet.ProbeRequest{Selector: fleet.Selector{Names: names[1:]}})[names[1]]
	if r.Err != nil || r.Observation.Verdict.State != cluster.Healthy {
		t.Errorf("the other cluster: %+v", r)
	}
	leave()
	callers.Wait()
	if !f.Idle() {
		t.Error("something is still held")
	}
}
