package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/client-go/rest"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// typesClient serves four clusters: one has an extra type, one is old, one fails.
func typesClient(t *testing.T) ([]string, fleetv1.ManifestServiceClient) {
	t.Helper()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4, Counts: fleettest.OnlyConfigMaps(1)})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.ExtraType})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.OldKubernetes})
	fleettest.SetFault(t, sim, names[2], simulator.Fault{Kind: simulator.BrokenAPI})
	fleettest.SetFault(t, sim, names[3], simulator.Fault{Kind: simulator.Throttle, RetryAfter: 7})
	return names, fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
}

func TestResourceTypesOfTheFleet(t *testing.T) {
	names, client := typesClient(t)
	got, err := client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*fleetv1.ServedType{}
	for _, s := range got.GetTypes() {
		byName[s.GetGroup()+"/"+s.GetResource()] = s
	}
	for name, want := range map[string]*fleetv1.ServedType{
		"/pods": {
			Version: "v1", Resource: "pods", Kind: "Pod", Namespaced: true, ShortNames: []string{"po"},
			Clusters: 3, Preferred: 3, Serving: names[:3],
		},
		"example.org/gadgets": {
			Group: "example.org", Version: "v1alpha1", Resource: "gadgets", Kind: "Gadget", Namespaced: true, ShortNames: []string{"gd"},
			Clusters: 1, Preferred: 1, MissingCount: 2, Serving: names[:1],
		},
		"batch/cronjobs": {
			Group: "batch", Version: "v1beta1", Resource: "cronjobs", Kind: "CronJob", Namespaced: true, ShortNames: []string{"cj"},
			Clusters: 1, Preferred: 1, MissingCount: 2, Serving: names[1:2],
			DeprecatedIn: "1.21", RemovedIn: "1.25", Replacement: "batch/v1 CronJob",
		},
	} {
		if diff := cmp.Diff(want, byName[name], protocmp.Transform()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	if b := got.GetBroken(); len(b) != 1 || b[0].GetGroup() != "metrics.k8s.io" || b[0].GetClusterCount() != 1 || b[0].GetClusters()[0] != names[2] || b[0].GetMessage() == "" {
		t.Errorf("broken: %v", b)
	}
	if failures := got.GetFailures(); len(failures) != 1 || failures[0].GetCluster() != names[3] {
		t.Errorf("failures: %v", failures)
	} else if info, retry, _ := detailsOf(t, failures[0].GetError()); info.GetReason() != "THROTTLED" || retry != 7*time.Second {
		t.Errorf("failure: %v", failures[0])
	}
	if s := got.GetSummary(); s.GetExpected() != 4 || s.GetSucceeded() != 3 || s.GetFailed() != 1 || s.GetDuration() == nil {
		t.Errorf("summary: %v", s)
	}
}

func TestResourceTypesAreSelected(t *testing.T) {
	names, client := typesClient(t)
	all := &fleetv1.ClusterSelector{Names: names[:2]}
	for about, c := range map[string]struct {
		request *fleetv1.ListResourceTypesRequest
		want    int
	}{
		"a group":                  {&fleetv1.ListResourceTypesRequest{Selector: all, Group: new("apps")}, 3},
		"the core group":           {&fleetv1.ListResourceTypesRequest{Selector: all, Group: new("")}, 6},
		"what is removed":          {&fleetv1.ListResourceTypesRequest{Selector: all, Deprecated: true}, 4},
		"what is removed of group": {&fleetv1.ListResourceTypesRequest{Selector: all, Deprecated: true, Group: new("policy")}, 2},
		"clusters":                 {&fleetv1.ListResourceTypesRequest{Selector: &fleetv1.ClusterSelector{Names: names[:1]}, Deprecated: true}, 0},
	} {
		got, err := client.ListResourceTypes(t.Context(), c.request)
		if err != nil || len(got.GetTypes()) != c.want {
			t.Errorf("%s: %d types, want %d: %v", about, len(got.GetTypes()), c.want, err)
		}
	}
}

func TestBadRequestsForTypesAreExplained(t *testing.T) {
	_, client := typesClient(t)
	for field, r := range map[string]*fleetv1.ListResourceTypesRequest{
		"group":                   {Group: new("../x")},
		"per_cluster_timeout":     {PerClusterTimeout: durationpb.New(-1)},
		"max_concurrency":         {MaxConcurrency: -1},
		"selector.label_selector": {Selector: &fleetv1.ClusterSelector{LabelSelector: "a in ("}},
	} {
		_, err := client.ListResourceTypes(t.Context(), r)
		mustBeInvalid(t, field, field, 0, err)
	}
	_, err := client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{Selector: &fleetv1.ClusterSelector{Names: []string{"nobody"}}})
	if status.Code(err) != codes.NotFound {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestTypesAreToldBeforeTheCallersTimeIsOver(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2, Counts: fleettest.OnlyConfigMaps(1)})
	fleettest.SetFault(t, sim, sim.Names()[0], simulator.Fault{Kind: simulator.Hang})
	client := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got, err := client.ListResourceTypes(ctx, &fleetv1.ListResourceTypesRequest{})
	if err != nil || len(got.GetTypes()) == 0 || len(got.GetFailures()) != 1 || !got.GetSummary().GetDeadlineExceeded() {
		t.Errorf("%v, %v", got.GetSummary(), err)
	}
}

func TestAClusterThatHangsTakesItsOwnTimeToTellTypes(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2, Counts: fleettest.OnlyConfigMaps(1)})
	fleettest.SetFault(t, sim, sim.Names()[0], simulator.Fault{Kind: simulator.Hang})
	client := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{}))
	got, err := client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{PerClusterTimeout: durationpb.New(300 * time.Millisecond)})
	if s := got.GetSummary(); err != nil || s.GetSucceeded() != 1 || s.GetFailed() != 1 || s.GetDeadlineExceeded() || s.GetDuration().AsDuration() > 5*time.Second {
		t.Errorf("%v, %v", s, err)
	}
}

func TestTypesAreAskedForOfSoManyClustersAtOnce(t *testing.T) {
	gate := &gate{}
	definitions := make([]cluster.Definition, 4)
	for i := range definitions {
		definitions[i] = gate.cluster(t, fmt.Sprint("c", i))
	}
	client := fleetv1.NewManifestServiceClient(serve(t, fleettest.Of(t, definitions, fleet.Options{}), server.Options{}))
	got, err := client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{MaxConcurrency: 1})
	if most := gate.most.Load(); err != nil || got.GetSummary().GetSucceeded() != 4 || most != 1 {
		t.Errorf("%d at once: %v, %v", most, got.GetSummary(), err)
	}
}

// gate counts how many clusters are asked at once, the most of which it keeps.
type gate struct{ now, most atomic.Int32 }

// cluster is one that serves nothing, and takes a moment for it.
func (g *gate) cluster(t *testing.T, name string) cluster.Definition {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if now := g.now.Add(1); now > g.most.Load() {
			g.most.Store(now)
		}
		defer g.now.Add(-1)
		<-time.After(20 * time.Millisecond)
		fmt.Fprint(w, `{"kind":"APIGroupDiscoveryList"}`)
	}))
	t.Cleanup(server.Close)
	return cluster.Definition{Name: name, Config: &rest.Config{Host: server.URL}}
}

// manyTypes serves so many types, with long names.
func manyTypes(t *testing.T, group string, n int) cluster.Definition {
	t.Helper()
	short := strings.Repeat("s", 60)
	var resources []string
	for i := range n {
		resources = append(resources, fmt.Sprintf(`{"resource":"r%055d","scope":"Cluster","responseKind":{"kind":"K%055d"},"shortNames":["%s","%s"]}`, i, i, short, short))
	}
	answer := `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"` + group + `"},"versions":[{"version":"v1","resources":[` + strings.Join(resources, ",") + `]}]},
{"metadata":{"name":"common.example.com"},"versions":[{"version":"v1","resources":[{"resource":"things","scope":"Cluster","responseKind":{"kind":"Thing"}}]}]}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api" {
			fmt.Fprint(w, `{"kind":"APIGroupDiscoveryList"}`)
			return
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	return cluster.Definition{Name: group + strings.Repeat("-", 200), Config: &rest.Config{Host: server.URL}}
}

func TestAnAnswerAboutTypesFitsIntoAMessage(t *testing.T) {
	definitions := []cluster.Definition{manyTypes(t, "one.example.com", 9000), manyTypes(t, "two.example.com", 5000), manyTypes(t, "three.example.com", 1)}
	client := fleetv1.NewManifestServiceClient(serve(t, fleettest.Of(t, definitions, fleet.Options{}), server.Options{}))
	got, err := client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if total := len(got.GetTypes()) + int(got.GetOmittedTypes()); total != 9000+5000+1+1 || got.GetOmittedTypes() == 0 || proto.Size(got) > 4<<20 {
		t.Errorf("%d types, %d omitted, %d bytes", len(got.GetTypes()), got.GetOmittedTypes(), proto.Size(got))
	}
	found := false
	for _, s := range got.GetTypes() {
		found = found || s.GetGroup() == "common.example.com" && s.GetClusters() == 3
	}
	if !found {
		t.Error("what all clusters serve is left out")
	}
	one, err := client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{Group: new("three.example.com")})
	if err != nil || len(one.GetTypes()) != 1 || one.GetOmittedTypes() != 0 || len(one.GetTypes()[0].GetServing()) != 1 {
		t.Errorf("one group: %v, %v", one, err)
	}
}

func TestFewerClustersAreNamedWhereThereIsNoRoom(t *testing.T) {
	one := manyTypes(t, "one.example.com", 600)
	definitions := make([]cluster.Definition, 40)
	for i := range definitions {
		definitions[i] = cluster.Definition{Name: fmt.Sprintf("%03d%s", i, strings.Repeat("x", 240)), Config: one.Config}
	}
	client := fleetv1.NewManifestServiceClient(serve(t, fleettest.Of(t, definitions, fleet.Options{}), server.Options{}))
	var got *fleetv1.ListResourceTypesResponse
	await(t, "all clusters have told their types", func() bool { // on a busy machine some take longer than they may
		var err error
		if got, err = client.ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{}); err != nil {
			t.Fatal(err)
		}
		return int(got.GetSummary().GetSucceeded()) == len(definitions)
	})
	if len(got.GetTypes()) != 601 || got.GetOmittedTypes() != 0 {
		t.Fatalf("%d types, %d omitted", len(got.GetTypes()), got.GetOmittedTypes())
	}
	for _, s := range got.GetTypes() {
		if n := len(s.GetServing()); s.GetClusters() != 40 || n == 0 || n >= 40 {
			t.Fatalf("%d clusters, %d are named", s.GetClusters(), n)
		}
	}
}
