package fleet_test

import (
	"context"
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

// someConfigMaps returns references to n objects of a cluster.
func someConfigMaps(t *testing.T, f *fleet.Fleet, name string, n int) []fleet.Reference {
	t.Helper()
	r := fleet.FetchRequest{Query: configMaps(), Selector: fleet.Selector{Names: []string{name}}}
	var references []fleet.Reference
	for _, item := range fetchAll(t.Context(), t, f, r)[name].items[:n] {
		q := configMaps()
		q.Namespace, q.Name = item.Namespace, item.Name
		references = append(references, fleet.Reference{Cluster: name, Query: q})
	}
	return references
}

func getAll(ctx context.Context, t *testing.T, f *fleet.Fleet, r fleet.GetRequest) []fleet.GetResult {
	t.Helper()
	run, err := f.Get(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if run.Expected != len(r.References) {
		t.Errorf("%d results are expected", run.Expected)
	}
	results := make([]fleet.GetResult, len(r.References))
	seen := make([]bool, len(r.References))
	for result := range run.Results {
		if seen[result.Index] {
			t.Errorf("reference %d came twice", result.Index)
		}
		seen[result.Index] = true
		results[result.Index] = result
	}
	if slices.Contains(seen, false) {
		t.Errorf("a reference is missing: %v", seen)
	}
	return results
}

func TestGetTellsOfEachReference(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 3})
	names := sim.Names()
	f := fleettest.Of(t, append(fleettest.Definitions(t, sim), cluster.Definition{Name: "virtual", Virtual: true}), fleet.Options{})
	references := slices.Concat(someConfigMaps(t, f, names[0], 6), someConfigMaps(t, f, names[1], 3), someConfigMaps(t, f, names[2], 2))
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Forbidden})
	missing, nowhere, virtual := references[0], references[0], references[0]
	missing.Query.Name = "not-there"
	nowhere.Cluster = "there-is-none"
	virtual.Cluster = "virtual"
	references = slices.Insert(references, 2, missing, nowhere, virtual)

	var summary fleet.Summary
	for i, r := range getAll(t.Context(), t, f, fleet.GetRequest{References: references}) {
		summary.Get(r)
		want := references[i]
		if r.Cluster != want.Cluster {
			t.Errorf("reference %d to %s was answered by %s", i, want.Cluster, r.Cluster)
		}
		var reason cluster.Reason
		switch {
		case want.Cluster == names[1]:
			reason = cluster.Forbidden
		case want.Cluster == "there-is-none", want.Query.Name == "not-there":
			reason = cluster.NotFound
		case want.Cluster == "virtual":
			if !r.Skipped || r.Err != nil {
				t.Errorf("virtual: %+v", r)
			}
			continue
		}
		switch {
		case reason != "" && (r.Err == nil || r.Err.Reason != reason):
			t.Errorf("reference %d: %v, want %s", i, r.Err, reason)
		case reason == "" && (r.Err != nil || r.Item.Name != want.Query.Name || !strings.Contains(string(r.Item.JSON), `"kind":"ConfigMap"`)):
			t.Errorf("reference %d: %v, %.200s", i, r.Err, r.Item.JSON)
		}
	}
	summary.Bytes, summary.Queued, summary.Busy = 0, 0, 0
	if diff := cmp.Diff(fleet.Summary{Succeeded: 8, Failed: 5, Skipped: 1, Items: 8}, summary); diff != "" {
		t.Error(diff)
	}
}

func TestReferencesOfSlowClustersDoNotDelayTheOthers(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 30})
	names := sim.Names()
	some := someConfigMaps(t, f, names[0], 8)
	var references []fleet.Reference
	for _, name := range names {
		for _, r := range some {
			r.Cluster = name
			references = append(references, r)
		}
	}
	for _, name := range names[:29] { // 4 each, more than the memory for reads would allow if waiting took any
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	run, err := f.Get(t.Context(), fleet.GetRequest{References: references})
	if err != nil {
		t.Fatal(err)
	}
	good := 0
	for r := range run.Results {
		if r.Cluster != names[29] || r.Err != nil {
			t.Errorf("reference %d to %s came first: %v", r.Index, r.Cluster, r.Err)
		}
		if good++; good == len(some) {
			break
		}
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestReferencesOfClustersWhoseTurnDoesNotComeAreReported(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4})
	names := sim.Names()
	some := someConfigMaps(t, f, names[0], 5)
	var references []fleet.Reference
	for _, name := range names {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
		for _, r := range some {
			r.Cluster = name
			references = append(references, r)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var summary fleet.Summary
	for _, r := range getAll(ctx, t, f, fleet.GetRequest{References: references, Limit: 1}) {
		summary.Get(r)
	}
	if summary.Queued < 5500*time.Millisecond || summary.Busy < 3500*time.Millisecond {
		t.Errorf("three clusters waited for %v in all, two reads took %v", summary.Queued, summary.Busy)
	}
	summary.Queued, summary.Busy = 0, 0
	if diff := cmp.Diff(fleet.Summary{Failed: cluster.MaxReads, NotAttempted: 20 - cluster.MaxReads}, summary); diff != "" {
		t.Error(diff)
	}
}

func TestAnObjectThatIsNamedTwiceIsReadOnce(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	names := sim.Names()
	some := someConfigMaps(t, f, names[0], 3)
	elsewhere := some[0]
	elsewhere.Cluster = names[1]
	missing := some[0]
	missing.Query.Name = "not-there"
	references := []fleet.Reference{some[0], some[1], some[0], elsewhere, missing, some[2], some[0], missing}
	sim.ResetStats()
	var summary fleet.Summary
	for i, r := range getAll(t.Context(), t, f, fleet.GetRequest{References: references}) {
		summary.Get(r)
		want := references[i]
		if r.Cluster != want.Cluster || (r.Err == nil) == (want == missing) {
			t.Errorf("reference %d: %+v", i, r)
		}
		if r.Err == nil && (r.Item.Name != want.Query.Name || !strings.Contains(string(r.Item.JSON), want.Query.Name)) {
			t.Errorf("reference %d to %s: %.200s", i, want.Query.Name, r.Item.JSON)
		}
	}
	const discovery = 2 // because of the object that is not there
	awaitCounted(t, sim)
	if n := sim.Stats().Requests; n != 5+discovery {
		t.Errorf("%d requests", n)
	}
	once := int64(len(references[0].Query.Name))
	if summary.Items != 6 || summary.Succeeded != 6 || summary.Failed != 2 || summary.Bytes < 4*once || summary.Bytes > 4*2000 {
		t.Errorf("%+v", summary)
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestMoreClustersAreReadFromAtOnceByReferenceThanWholly(t *testing.T) {
	const limit = 2
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 20, Counts: fleettest.OnlyConfigMaps(4)})
	f := fleettest.Of(t, fleettest.Definitions(t, sim), fleet.Options{Limit: limit})
	references := everywhere(t, f, sim)
	for _, name := range sim.Names() {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	ctx, leave := context.WithCancel(t.Context())
	var call sync.WaitGroup
	call.Go(func() { getAll(ctx, t, f, fleet.GetRequest{References: references}) })
	defer call.Wait()
	defer leave()
	await(t, "the reads of eight clusters run", func() bool { return sim.Stats().InFlight == 4*limit*cluster.MaxReads })
	if s := sim.Stats(); s.PeakInFlightOfCluster > cluster.MaxReads {
		t.Errorf("%d reads of one cluster at once", s.PeakInFlightOfCluster)
	}
}

func TestTheLongestErrandBeginsFirst(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3})
	names := sim.Names()
	var references []fleet.Reference
	for i, n := range []int{1, 4, 2} {
		references = append(references, someConfigMaps(t, f, names[i], n)...)
	}
	run, err := f.Get(t.Context(), fleet.GetRequest{References: references, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for r := range run.Results {
		order = append(order, r.Cluster)
	}
	if diff := cmp.Diff([]string{names[1], names[2], names[0]}, slices.Compact(order)); diff != "" {
		t.Error(diff)
	}
}

func TestClustersThatAreKnownToBeUnreachableAreNotTried(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 6, OwnPorts: true, Latency: simulator.Constant(50 * time.Millisecond)})
	names := sim.Names()
	references := make([]fleet.Reference, 0, 2*len(names))
	for _, r := range someConfigMaps(t, f, names[0], 2) {
		for _, name := range names {
			r.Cluster = name
			references = append(references, r)
		}
	}
	dead := names[3:]
	for _, name := range dead {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Blackhole})
	}
	sim.ResetStats()
	known := func(name string) *cluster.Error {
		if !slices.Contains(dead, name) {
			return nil
		}
		return cluster.NewError(cluster.ConnectTimeout, cluster.PhaseQueue, "known", nil)
	}
	check := func(about, name string, n int, e *cluster.Error, took time.Duration) {
		t.Helper()
		if isDead := slices.Contains(dead, name); isDead != (e != nil) || isDead && e.Message != "known" || isDead != (n < len(dead)) {
			t.Errorf("%s: %s came at place %d with %v", about, name, n, e)
		} else if isDead && took > 10*time.Millisecond {
			t.Errorf("%s: %s took %v", about, name, took)
		}
	}
	fetching, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps(), Unreachable: known, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for b := range fetching.Results {
		if b.End != nil {
			check("fetch", b.Cluster, n, b.End.Err, b.End.Duration)
			n++
		}
	}
	getting, err := f.Get(t.Context(), fleet.GetRequest{References: references, Unreachable: known, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	n = 0
	for r := range getting.Results {
		check("get", r.Cluster, n/2, r.Err, r.Duration)
		n++
	}
	if n != len(references) {
		t.Errorf("%d results", n)
	}
}
