package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func typesOf(t *testing.T, f *fleet.Fleet, r fleet.TypesRequest) *fleet.TypesReport {
	t.Helper()
	report, err := f.Types(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	s := report.Summary
	if s.Expected != s.Succeeded+s.Failed+s.Skipped+s.NotAttempted || len(report.Failures) != s.Failed+s.NotAttempted {
		t.Errorf("the counts do not add up: %+v with %d failures", s, len(report.Failures))
	}
	return report
}

// find returns the type that is written as kubectl takes it.
func find(t *testing.T, report *fleet.TypesReport, name string) fleet.ServedType {
	t.Helper()
	i := slices.IndexFunc(report.Types, func(s fleet.ServedType) bool {
		return cluster.TypeName{Group: s.Group, Version: s.Version, Name: s.Plural}.String() == name
	})
	if i < 0 {
		t.Fatalf("no %s among %d types", name, len(report.Types))
	}
	return report.Types[i]
}

// oddFleet has five clusters and a virtual one: the second has an extra type, the third is old, the fourth has a broken
// API, the fifth fails.
func oddFleet(t *testing.T) ([]string, *fleet.Fleet) {
	t.Helper()
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 5, Counts: fleettest.OnlyConfigMaps(1)})
	definitions := fleettest.Definitions(t, sim)
	names := make([]string, len(definitions))
	for i, d := range definitions {
		names[i] = d.Name
	}
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.ExtraType})
	fleettest.SetFault(t, sim, names[2], simulator.Fault{Kind: simulator.OldKubernetes})
	fleettest.SetFault(t, sim, names[3], simulator.Fault{Kind: simulator.BrokenAPI})
	fleettest.SetFault(t, sim, names[4], simulator.Fault{Kind: simulator.Forbidden})
	return names, fleettest.Of(t, append(definitions, cluster.Definition{Name: "virtual", Virtual: true}), fleet.Options{})
}

func TestTypesTellWhichClustersServeWhat(t *testing.T) {
	names, f := oddFleet(t)
	report := typesOf(t, f, fleet.TypesRequest{})
	if s := report.Summary; s.Expected != 6 || s.Succeeded != 4 || s.Failed != 1 || s.Skipped != 1 {
		t.Errorf("summary %+v", s)
	}
	if len(report.Failures) != 1 || report.Failures[0].Cluster != names[4] || report.Failures[0].Err.Reason != cluster.Forbidden {
		t.Errorf("failures %+v", report.Failures)
	}
	everywhere := find(t, report, "pods.v1")
	want := fleet.ServedType{
		ServedType: everywhere.ServedType,
		Serving:    fleet.Clusters{Count: 4, Names: names[:4]},
		Preferred:  4,
	}
	if diff := cmp.Diff(want, everywhere); diff != "" {
		t.Errorf("pods: -want +got:\n%s", diff)
	}
	if everywhere.Kind != "Pod" || !everywhere.Namespaced || everywhere.ShortNames != "po" || everywhere.Singular != "pod" {
		t.Errorf("got %+v", everywhere.ServedType)
	}
	once := find(t, report, "gadgets.v1alpha1.example.org")
	if diff := cmp.Diff(fleet.Clusters{Count: 1, Names: names[1:2]}, once.Serving); diff != "" {
		t.Errorf("gadgets are served by: %s", diff)
	}
	if diff := cmp.Diff(fleet.Clusters{Count: 3, Names: []string{names[0], names[2], names[3]}}, once.Missing); diff != "" {
		t.Errorf("gadgets are missing in: %s", diff)
	}
	if len(report.Broken) != 1 || report.Broken[0].Group != "metrics.k8s.io" || report.Broken[0].Version != "v1beta1" ||
		!slices.Equal(report.Broken[0].Clusters.Names, names[3:4]) || report.Broken[0].Message == "" {
		t.Errorf("broken: %+v", report.Broken)
	}
	order := make([]string, len(report.Types))
	for i, s := range report.Types {
		order[i] = s.Group + " " + s.Plural
	}
	if !slices.IsSorted(order) {
		t.Errorf("not in order: %q", order)
	}
}

func TestRemovedTypesAreThoseOfOldClusters(t *testing.T) {
	names, f := oddFleet(t)
	report := typesOf(t, f, fleet.TypesRequest{Removed: true})
	var got []string
	for _, s := range report.Types {
		got = append(got, fmt.Sprintf("%s/%s %s %s %s %q %v", s.Group, s.Version, s.Kind, s.DeprecatedIn, s.RemovedIn, s.Replacement, s.Serving.Names))
	}
	in := "[" + names[2] + "]"
	want := []string{
		`autoscaling/v2beta2 HorizontalPodAutoscaler 1.23 1.26 "autoscaling/v2 HorizontalPodAutoscaler" ` + in,
		`batch/v1beta1 CronJob 1.21 1.25 "batch/v1 CronJob" ` + in,
		`policy/v1beta1 PodDisruptionBudget 1.21 1.25 "policy/v1 PodDisruptionBudget" ` + in,
		`policy/v1beta1 PodSecurityPolicy 1.21 1.25 "" ` + in,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTypesOfOneGroup(t *testing.T) {
	_, f := oddFleet(t)
	for group, want := range map[string][]string{
		"":               {"configmaps", "namespaces", "nodes", "pods", "secrets", "services"},
		"apps":           {"deployments", "replicasets", "statefulsets"},
		"metrics.k8s.io": nil,
		"nobody.example": nil,
	} {
		report := typesOf(t, f, fleet.TypesRequest{Group: &group})
		var got []string
		for _, s := range report.Types {
			got = append(got, s.Plural)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", group, diff)
		}
		if broken := len(report.Broken) > 0; broken != (group == "metrics.k8s.io") {
			t.Errorf("%q: broken %+v", group, report.Broken)
		}
	}
}

func TestVersionsOfKubernetesAreThoseThatProbesFound(t *testing.T) {
	names, f := oddFleet(t)
	if report := typesOf(t, f, fleet.TypesRequest{}); len(report.Versions) != 0 {
		t.Errorf("before any probe: %+v", report.Versions)
	}
	run, err := f.Probe(t.Context(), fleet.ProbeRequest{Selector: fleet.Selector{Names: names[:4]}, Depth: cluster.Full})
	if err != nil {
		t.Fatal(err)
	}
	for range run.Results {
	}
	want := []fleet.VersionCount{{Version: "v1.24.17", Clusters: 1}, {Version: "v1.36.3", Clusters: 3}}
	if diff := cmp.Diff(want, typesOf(t, f, fleet.TypesRequest{}).Versions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClustersKnownToBeUnreachableAreNotAsked(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2, Counts: fleettest.OnlyConfigMaps(1)})
	name := f.Definitions()[0].Name
	known := cluster.NewError(cluster.ConnectTimeout, cluster.PhaseConnect, "unreachable for an hour", nil)
	report := typesOf(t, f, fleet.TypesRequest{Unreachable: func(n string) *cluster.Error {
		if n == name {
			return known
		}
		return nil
	}})
	if len(report.Failures) != 1 || report.Failures[0].Err != known {
		t.Errorf("got %+v", report.Failures)
	}
	stats, _ := sim.ClusterStats(name)
	if stats.Requests != 0 {
		t.Errorf("it was asked %d times", stats.Requests)
	}
}

func TestTypesEndWithTheCallersTime(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4, Counts: fleettest.OnlyConfigMaps(1)})
	for _, d := range f.Definitions()[:3] {
		fleettest.SetFault(t, sim, d.Name, simulator.Fault{Kind: simulator.Hang})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	report, err := f.Types(ctx, fleet.TypesRequest{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	if s := report.Summary; s.Expected != 4 || s.Failed+s.NotAttempted < 3 || len(report.Failures) != s.Failed+s.NotAttempted {
		t.Errorf("got %+v", s)
	}
	for _, failure := range report.Failures {
		if failure.Err.Blame != cluster.BlameObserver {
			t.Errorf("%s is blamed: %+v", failure.Cluster, failure.Err)
		}
	}
}

func TestAClusterHasATimeOfItsOwnToTellItsTypes(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2, Counts: fleettest.OnlyConfigMaps(1)})
	hanging := f.Definitions()[0].Name
	fleettest.SetFault(t, sim, hanging, simulator.Fault{Kind: simulator.Hang})
	start := time.Now()
	report := typesOf(t, f, fleet.TypesRequest{Timeout: 300 * time.Millisecond})
	if took := time.Since(start); took > 5*time.Second || report.Summary.Succeeded != 1 || len(report.Failures) != 1 {
		t.Fatalf("after %v: %+v", took, report.Summary)
	}
	if e := report.Failures[0]; e.Cluster != hanging || e.Err.Reason != cluster.ResponseTimeout || e.Err.Blame != cluster.BlameControlPlane {
		t.Errorf("got %+v of %s", e.Err, e.Cluster)
	}
}

func TestATypeThatIsDescribedDifferentlyIsOneType(t *testing.T) {
	serve := func(kind, short string) cluster.Definition {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if r.URL.Path == "/api" {
				fmt.Fprint(w, `{"kind":"APIGroupDiscoveryList"}`)
				return
			}
			one := fmt.Sprintf(`{"resource":"gizmos","scope":"Namespaced","responseKind":{"kind":"%s"},"shortNames":["%s"]}`, kind, short)
			fmt.Fprintf(w, `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"example.com"},"versions":[
{"version":"v2","resources":[%s,%s]},{"version":"v10","resources":[%s]},{"version":"v1beta1","resources":[%s]}]}]}`, one, one, one, one)
		}))
		t.Cleanup(server.Close)
		return cluster.Definition{Name: strings.TrimPrefix(server.URL, "http://"), Config: &rest.Config{Host: server.URL}}
	}
	f := fleettest.Of(t, []cluster.Definition{serve("Gizmo", "gz"), serve("Gizmo", "gz"), serve("Gizmo", "zz")}, fleet.Options{})
	report := typesOf(t, f, fleet.TypesRequest{})
	var got []string
	for _, s := range report.Types {
		got = append(got, fmt.Sprintf("%s %s %d %d %d", s.Version, s.ShortNames, s.Serving.Count, s.Preferred, s.Missing.Count))
	}
	if diff := cmp.Diff([]string{"v10 gz 3 0 0", "v2 gz 3 3 0", "v1beta1 gz 3 0 0"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTypesOfAnUnknownCluster(t *testing.T) {
	_, f := oddFleet(t)
	if report, err := f.Types(t.Context(), fleet.TypesRequest{Selector: fleet.Selector{Names: []string{"nobody"}}}); err == nil {
		t.Errorf("got %+v", report)
	}
}

func TestNamesAreBounded(t *testing.T) {
	_, f := fleettest.Start(t, simulator.Config{Clusters: 105, Counts: fleettest.OnlyConfigMaps(1)})
	report := typesOf(t, f, fleet.TypesRequest{})
	if got := find(t, report, "pods.v1").Serving; got.Count != 105 || len(got.Names) != 100 || !slices.IsSorted(got.Names) {
		t.Errorf("%d of %d are named", len(got.Names), got.Count)
	}
}

// BenchmarkTypes tells what a call costs over clusters whose types are known.
func BenchmarkTypes(b *testing.B) {
	_, f := fleettest.Start(b, simulator.Config{Clusters: 1000, Counts: fleettest.OnlyConfigMaps(1)})
	ask := func() {
		report, err := f.Types(b.Context(), fleet.TypesRequest{})
		if err != nil || report.Summary.Succeeded != 1000 {
			b.Fatal(err, report.Summary)
		}
	}
	ask()
	runtime.GC()
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}
