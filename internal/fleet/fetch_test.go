package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// fetched is what came of one cluster.
type fetched struct {
	items   []fleet.Item
	rows    int
	columns int
	batches int
	end     *fleet.End
}

func fetchAll(ctx context.Context, t *testing.T, f *fleet.Fleet, r fleet.FetchRequest) map[string]*fetched {
	t.Helper()
	run, err := f.Fetch(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	results := make(map[string]*fetched)
	for b := range run.Results {
		c := results[b.Cluster]
		if c == nil {
			c = &fetched{}
			results[b.Cluster] = c
		}
		if c.end != nil {
			t.Errorf("%s: something came after the end", b.Cluster)
		}
		size := 0
		for _, item := range b.Items {
			size += len(item.JSON)
		}
		if size > 256<<10 && len(b.Items) > 1 {
			t.Errorf("%s: a batch of %d objects has %d bytes", b.Cluster, len(b.Items), size)
		}
		c.items = append(c.items, b.Items...)
		c.rows += len(b.Rows)
		c.columns += len(b.Columns)
		c.batches++
		c.end = b.End
	}
	if len(results) != run.Expected {
		t.Errorf("%d results, %d expected", len(results), run.Expected)
	}
	return results
}

func configMaps() cluster.Query {
	return cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "configmaps"}}
}

func TestFetchBringsEveryObjectOnceOverAllPages(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3, Counts: fleettest.OnlyConfigMaps(1234), ObjectBytes: 2000})
	for name, got := range fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()}) {
		if got.end == nil || got.end.Err != nil {
			t.Fatalf("%s: %+v", name, got.end)
		}
		seen := make(map[string]bool)
		bytes := int64(0)
		for _, item := range got.items {
			seen[item.Namespace+"/"+item.Name] = true
			bytes += int64(len(item.JSON))
			if !json.Valid(item.JSON) || !strings.Contains(string(item.JSON), item.Name) || strings.Contains(string(item.JSON), "managedFields") {
				t.Fatalf("%s: %.200s", name, item.JSON)
			}
		}
		if len(got.items) != 1234 || len(seen) != 1234 || got.end.Items != 1234 || got.end.Pages != 3 || got.end.ResourceVersion == "" {
			t.Errorf("%s: %d objects, %d names, end %+v", name, len(got.items), len(seen), got.end)
		}
		if got.end.Bytes < bytes || got.end.Duration <= 0 || got.batches < 10 {
			t.Errorf("%s: %d bytes of objects in %d batches, end %+v", name, bytes, got.batches, got.end)
		}
	}
	if !f.Idle() || sim.Stats().InFlight != 0 {
		t.Error("something is still held")
	}
}

func TestFetchReadsOneObjectOrNamespaceOrSelection(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	one := func(q cluster.Query) *fetched {
		return fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q})[name]
	}
	all := one(configMaps())
	item := all.items[0]

	q := configMaps()
	q.Namespace = item.Namespace
	for _, other := range one(q).items {
		if other.Namespace != item.Namespace {
			t.Errorf("%s of %s came with namespace %s", other.Name, other.Namespace, item.Namespace)
		}
	}
	q.Name = item.Name
	single := one(q)
	if len(single.items) != 1 || single.items[0].Name != item.Name || single.end.Err != nil || single.end.ResourceVersion != "" {
		t.Errorf("one object: %+v %+v", single.items, single.end)
	}
	q = configMaps()
	q.FieldSelector = "metadata.name=" + item.Name
	if selected := one(q); len(selected.items) != 1 {
		t.Errorf("by field: %d objects", len(selected.items))
	}
	q = configMaps()
	q.LabelSelector = "app=nobody-has-this"
	if none := one(q); len(none.items) != 0 || none.end.Err != nil {
		t.Errorf("by label: %+v", none)
	}
	nodes := one(cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "nodes"}})
	if len(nodes.items) == 0 || nodes.items[0].Namespace != "" {
		t.Errorf("cluster-scoped: %+v", nodes)
	}
	deploy := one(cluster.Query{Type: cluster.TypeName{Name: "deploy"}, Namespace: "default"})
	if deploy.end.Err != nil {
		t.Errorf("by short name: %+v", deploy.end.Err)
	}
}

func TestFetchInOtherForms(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(700)})
	name := sim.Names()[0]
	q := configMaps()
	q.Format = cluster.TableFormat
	table := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q})[name]
	if table.rows != 700 || table.columns != 3 || len(table.items) != 0 || table.end.Items != 700 || table.end.Err != nil {
		t.Errorf("table: %d rows, %d columns, %+v", table.rows, table.columns, table.end)
	}
	q.LabelSelector = "app=nobody-has-this"
	if empty := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q})[name]; empty.rows != 0 || empty.columns != 3 || empty.end.Err != nil {
		t.Errorf("empty table: %d rows, %d columns, %+v", empty.rows, empty.columns, empty.end)
	}
	q = configMaps()
	q.Format = cluster.MetadataFormat
	metadata := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q})[name]
	if len(metadata.items) != 700 || strings.Contains(string(metadata.items[0].JSON), "LOG_LEVEL") || metadata.end.Err != nil {
		t.Errorf("metadata: %d objects, %+v", len(metadata.items), metadata.end)
	}
}

func TestSecretsComeWithoutTheirDataUnlessItIsAskedFor(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	for _, typeName := range []cluster.TypeName{{Version: "v1", Name: "secrets"}, {Name: "secret"}, {Name: "Secret"}} {
		for _, keep := range []bool{false, true} {
			r := fleet.FetchRequest{Query: cluster.Query{Type: typeName}, Keep: fleet.Keep{SecretData: keep}}
			got := fetchAll(t.Context(), t, f, r)[name]
			if len(got.items) == 0 || got.end.Err != nil {
				t.Fatalf("%v: %+v", typeName, got.end)
			}
			for _, item := range got.items {
				if has := strings.Contains(string(item.JSON), `"data"`); has != keep {
					t.Errorf("%v: data is there: %v, was asked for: %v", typeName, has, keep)
				}
			}
		}
	}
}

// faulty is a fault and what a fetch says of it.
type faulty struct {
	fault simulator.Fault
	want  cluster.Reason
}

// lists limits a fault to what is fetched.
func lists(f simulator.Fault) simulator.Fault {
	f.Paths = []string{"/api/v1/configmaps"}
	return f
}

func TestAFaultyClusterLeavesTheOthersWhole(t *testing.T) {
	fetchFromFaulty(t, 0, []faulty{
		{simulator.Fault{Kind: simulator.Refuse}, cluster.ConnectionRefused},
		{simulator.Fault{Kind: simulator.TLSUnknownCA}, cluster.TLSUnknownAuthority},
		{simulator.Fault{Kind: simulator.Unauthorized}, cluster.Unauthenticated},
		{simulator.Fault{Kind: simulator.Forbidden}, cluster.Forbidden},
		{simulator.Fault{Kind: simulator.Throttle, RetryAfter: 1 << 31}, cluster.Throttled},
		{simulator.Fault{Kind: simulator.Error500}, cluster.ServerError},
		{lists(simulator.Fault{Kind: simulator.TruncatedJSON}), cluster.MalformedResponse},
		{lists(simulator.Fault{Kind: simulator.HTML}), cluster.MalformedResponse},
		{lists(simulator.Fault{Kind: simulator.DeepJSON}), cluster.MalformedResponse},
		{lists(simulator.Fault{Kind: simulator.GzipBomb, Bytes: 64 << 20}), cluster.ResponseTooLarge},
		{lists(simulator.Fault{Kind: simulator.EndlessHeaders}), cluster.ResponseTooLarge},
		{lists(simulator.Fault{Kind: simulator.Redirect}), cluster.Redirected},
		{lists(simulator.Fault{Kind: simulator.Reset, Bytes: 10_000}), cluster.ConnectionReset},
	})
}

func TestAClusterThatDoesNotComeToAnEndIsLeftAtItsTimeout(t *testing.T) {
	t.Parallel()
	start := time.Now()
	fetchFromFaulty(t, 6*time.Second, []faulty{
		{lists(simulator.Fault{Kind: simulator.Hang}), cluster.ResponseTimeout},
		{lists(simulator.Fault{Kind: simulator.Drip, Interval: 10 * time.Millisecond}), cluster.ResponseTimeout},
	})
	if took := time.Since(start); took > cluster.DefaultReadTimeout*4/5 {
		t.Errorf("it was left after %v, where the caller gave it 6 s", took)
	}
}

func TestAListWhosePagesBringNothingNewEndsHoweverMuchTimeThereIs(t *testing.T) {
	t.Parallel()
	fetchFromFaulty(t, time.Hour, []faulty{
		{lists(simulator.Fault{Kind: simulator.EndlessContinue}), cluster.ResponseTooLarge},
	})
}

// TestAListWithoutEndEnds at the bound of a page or at the cluster's time: that depends on how fast this machine reads.
func TestAListWithoutEndEnds(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, lists(simulator.Fault{Kind: simulator.EndlessBody}))
	got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), Timeout: 6 * time.Second})[name]
	if e := got.end.Err; e == nil || e.Reason != cluster.ResponseTooLarge && e.Reason != cluster.ResponseTimeout {
		t.Errorf("it ended with %v", e)
	}
}

// fetchFromFaulty fetches from a cluster a fault and four good ones.
func fetchFromFaulty(t *testing.T, timeout time.Duration, faults []faulty) {
	t.Helper()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: len(faults) + 4, OwnPorts: true})
	names := sim.Names()
	for i, c := range faults {
		fleettest.SetFault(t, sim, names[i], c.fault)
	}
	results := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), Timeout: timeout})
	for i, c := range faults {
		e := results[names[i]].end.Err
		if e == nil {
			t.Errorf("%s: no error", c.fault.Kind)
			continue
		}
		if e.Reason != c.want || e.RetryAfter > time.Minute || len(e.Message) > 1024 {
			t.Errorf("%s: %s, %s, retry after %v", c.fault.Kind, e.Reason, e.Message, e.RetryAfter)
		}
		if rv := results[names[i]].end.ResourceVersion; rv != "" {
			t.Errorf("%s: a reading that failed has the resource version %s", c.fault.Kind, rv)
		}
	}
	for _, name := range names[len(faults):] {
		if got := results[name]; got.end.Err != nil || len(got.items) != 20 {
			t.Errorf("%s: %d objects, %v", name, len(got.items), got.end.Err)
		}
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestASlowCallerIsNotTheClustersFault(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(50), ObjectBytes: 20_000})
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps(), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	waited := false
	for b := range run.Results {
		if !waited {
			waited = true
			<-time.After(5500 * time.Millisecond) // longer than the cluster may take
		}
		if b.End != nil && (b.End.Err != nil || b.End.Items != 50) {
			t.Errorf("%+v, %v", b.End, b.End.Err)
		}
		if b.End != nil && b.End.Duration > 5*time.Second {
			t.Errorf("the caller's time was counted: %v", b.End.Duration)
		}
	}
	if s := sim.Stats(); s.Aborted != 0 {
		t.Errorf("%d requests were aborted", s.Aborted)
	}
}

func TestACallerWhoStopsTakingStopsTheReading(t *testing.T) {
	const clusters, objects, size = 10, 500, 40_000 // 20 MB a cluster
	sim, f := fleettest.Start(t, simulator.Config{Clusters: clusters, Counts: fleettest.OnlyConfigMaps(objects), ObjectBytes: size})
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	for range run.Results {
		written := int64(-1)
		await(t, "nothing more is read", func() bool {
			<-time.After(200 * time.Millisecond)
			before := written
			written = sim.Stats().BytesWritten
			return written == before
		})
		t.Logf("%d KiB a cluster were sent before the reading stopped", written/clusters>>10)
		if limit := int64(clusters * 8 << 20); written > limit {
			t.Errorf("%d MiB were read for a caller who took one batch", written>>20)
		}
		break
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
	await(t, "the servers see that the caller left", func() bool { return sim.Stats().InFlight == 0 })
}

func TestAFetchWhoseTimeRunsOutKeepsWhatWasRead(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 10, Counts: fleettest.OnlyConfigMaps(600)})
	names := sim.Names()
	for _, name := range names[2:8] { // the answer begins and does not end
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Drip, Paths: []string{"/api/v1/configmaps"}, Interval: time.Millisecond})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	results := fetchAll(ctx, t, f, fleet.FetchRequest{Query: configMaps(), Limit: 4})
	var summary fleet.Summary
	for name, got := range results {
		summary.Fetch(&fleet.Batch{End: got.end})
		if e := got.end.Err; e != nil && (e.Blame != cluster.BlameObserver || !strings.Contains(e.Message, "time ran out")) {
			t.Errorf("%s: %s: %s", name, e.Reason, e.Message)
		}
	}
	if summary.Succeeded < 2 || summary.Failed < 4 || summary.Succeeded+summary.Failed+summary.NotAttempted != 10 {
		t.Errorf("%+v", summary)
	}
}

func TestHostileQueriesReachNoCluster(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	for _, evil := range []string{"../secrets", "a/b", "a%2fb", "a?x=1", "..", "a#b", "a\\b", "a\nb"} {
		for _, c := range []struct {
			field string
			query cluster.Query
		}{
			{"resource_type", cluster.Query{Type: cluster.TypeName{Group: evil, Version: "v1", Name: "configmaps"}}},
			{"resource_type", cluster.Query{Type: cluster.TypeName{Version: evil, Name: "configmaps"}}},
			{"resource_type", cluster.Query{Type: cluster.TypeName{Version: "v1", Name: evil}}},
			{"namespace", cluster.Query{Type: configMaps().Type, Namespace: evil}},
			{"name", cluster.Query{Type: configMaps().Type, Namespace: "default", Name: evil}},
			{"label_selector", cluster.Query{Type: configMaps().Type, LabelSelector: "a in (" + evil}},
		} {
			t.Run(fmt.Sprintf("%s %q", c.field, evil), func(t *testing.T) {
				_, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: c.query})
				if bad, ok := errors.AsType[*fleet.RequestError](err); !ok || bad.Field != c.field {
					t.Errorf("fetch: %v", err)
				}
				_, err = f.Get(t.Context(), fleet.GetRequest{References: []fleet.Reference{{Cluster: sim.Names()[0], Query: c.query}}})
				if bad, ok := errors.AsType[*fleet.RequestError](err); !ok || bad.Field != "references[0]."+c.field {
					t.Errorf("get: %v", err)
				}
			})
		}
	}
	if n := sim.Stats().AcceptedConnections; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}
