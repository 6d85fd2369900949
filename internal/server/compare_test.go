package server_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"k8s.io/client-go/rest"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// compared is a whole comparison.
type compared struct {
	clusters map[string]*fleetv1.Completion
	objects  []*fleetv1.ComparedObject
	totals   *fleetv1.ComparisonTotals
	summary  *fleetv1.Summary
	largest  int
}

// compare makes the call and checks the shape of its stream.
func compare(ctx context.Context, t testing.TB, conn *grpc.ClientConn, r *fleetv1.CompareManifestsRequest) compared {
	t.Helper()
	if r.GetResourceType() == nil {
		r.ResourceType = configMaps()
	}
	stream, err := fleetv1.NewManifestServiceClient(conn).CompareManifests(ctx, r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatalf("the stream ended with %v", err)
	}
	got := compared{clusters: map[string]*fleetv1.Completion{}}
	expected := 0
	for i, m := range messages {
		got.largest = max(got.largest, proto.Size(m))
		switch event := m.GetEvent().(type) {
		case *fleetv1.CompareManifestsResponse_Started:
			mustBe(t, i, 0)
			expected = int(event.Started.GetExpected())
		case *fleetv1.CompareManifestsResponse_Cluster:
			mustBe(t, i, len(got.clusters)+1)
			got.clusters[event.Cluster.GetCluster()] = event.Cluster.GetCompletion()
		case *fleetv1.CompareManifestsResponse_Object:
			got.objects = append(got.objects, event.Object)
		case *fleetv1.CompareManifestsResponse_Totals:
			mustBe(t, i, len(messages)-2)
			got.totals = event.Totals
		case *fleetv1.CompareManifestsResponse_Summary:
			mustBe(t, i, len(messages)-1)
			got.summary = event.Summary
		}
	}
	if len(got.clusters) != expected || got.totals == nil {
		t.Errorf("%d clusters, %d expected, totals %v", len(got.clusters), expected, got.totals)
	}
	mustAddUp(t, got.summary, expected)
	return got
}

// differing returns a fleet of clusters of these names, in each of which the ConfigMap web is what data says.
func differing(t *testing.T, names []string, data func(cluster int) string) *fleet.Fleet {
	t.Helper()
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/c%d/", &i); err != nil {
			t.Error(err)
		}
		if strings.HasSuffix(r.URL.Path, "/web") {
			fmt.Fprintf(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"web","namespace":"ns"},"data":%s}`, data(i))
			return
		}
		fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"web","namespace":"ns"},"data":%s}]}`, data(i))
	}))
	t.Cleanup(api.Close)
	var definitions []cluster.Definition
	for i, name := range names {
		definitions = append(definitions, cluster.Definition{Name: name, Config: &rest.Config{
			Host: fmt.Sprintf("%s/c%d", api.URL, i), TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		}})
	}
	return fleettest.Of(t, definitions, fleet.Options{})
}

func TestComparisonsTellWhichClustersDifferAndHow(t *testing.T) {
	names := []string{"a", "b", "c"}
	conn := serve(t, differing(t, names, func(c int) string { return fmt.Sprintf(`{"k":"%d"}`, c/2) }), server.Options{})
	got := compare(t.Context(), t, conn, &fleetv1.CompareManifestsRequest{})
	if len(got.objects) != 1 || len(got.objects[0].GetVariants()) != 2 {
		t.Fatalf("%v", got.objects)
	}
	baseline, other := got.objects[0].GetVariants()[0], got.objects[0].GetVariants()[1]
	if hash, err := hex.DecodeString(other.GetHash()); err != nil || len(hash) != 32 || other.GetHash() == baseline.GetHash() {
		t.Errorf("hashes %q and %q", baseline.GetHash(), other.GetHash())
	}
	if !baseline.GetBaseline() || baseline.GetDiff() != "" || other.GetBaseline() || !strings.HasPrefix(other.GetDiff(), "--- a\n+++ c\n@@ ") {
		t.Errorf("%v\n%v", baseline, other)
	}
	if got.totals.GetObjects() != 1 || got.totals.GetDiffering() != 1 || got.summary.GetSucceeded() != 3 || got.summary.GetItems() != 3 || got.summary.GetBytes() == 0 {
		t.Errorf("%v, %v", got.totals, got.summary)
	}
	single := compare(t.Context(), t, conn, &fleetv1.CompareManifestsRequest{Namespace: "ns", Name: "web", Against: "c", Ignore: []string{"data.other"}})
	if v := single.objects[0].GetVariants(); v[0].GetClusters()[0] != "c" || !strings.HasPrefix(v[1].GetDiff(), "--- c\n+++ a\n") {
		t.Errorf("against c: %v", v)
	}
	if same := compare(t.Context(), t, conn, &fleetv1.CompareManifestsRequest{Ignore: []string{"data['k']"}}); len(same.objects) != 0 || same.totals.GetEqual() != 1 {
		t.Errorf("%v", same.objects)
	}
}

func TestNamesAndDiffsOfThousandsOfClustersFitIntoAMessage(t *testing.T) {
	names := make([]string, 300)
	for i := range names {
		names[i] = fmt.Sprintf("%0250d", i)
	}
	line := strings.Repeat(`x\n`, 1)
	conn := serve(t, differing(t, names, func(c int) string {
		return `{"k":"` + strings.Repeat(fmt.Sprintf("%d a line of some length%s", c, line), 12_000) + `"}`
	}), server.Options{})
	got := compare(t.Context(), t, conn, &fleetv1.CompareManifestsRequest{})
	diffs, bytes := 0, 0
	for _, v := range got.objects[0].GetVariants()[1:] {
		if v.GetDiff() != "" {
			diffs++
			bytes += len(v.GetDiff())
		}
		if len(v.GetDiff()) > 256<<10 || v.GetDiffOmitted() == "" {
			t.Fatalf("%d bytes of diff, %q", len(v.GetDiff()), v.GetDiffOmitted())
		}
	}
	if diffs != 10 || bytes < 2<<20 || got.largest >= 4<<20 {
		t.Errorf("%d diffs of %d bytes in a message of %d", diffs, bytes, got.largest)
	}
}

func TestComparisonsThatMakeNoSenseAreRefused(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	conn := serve(t, f, server.Options{})
	for field, r := range map[string]*fleetv1.CompareManifestsRequest{
		"ignore[1]":     {ResourceType: configMaps(), Ignore: []string{"spec.replicas", "spec["}},
		"ignore[0]":     {ResourceType: configMaps(), Ignore: []string{""}},
		"against":       {ResourceType: configMaps(), Selector: &fleetv1.ClusterSelector{Names: sim.Names()[1:]}, Against: sim.Names()[0]},
		"resource_type": {},
	} {
		stream, err := fleetv1.NewManifestServiceClient(conn).CompareManifests(t.Context(), r)
		messages, err := receive(t, stream, err)
		mustBeInvalid(t, field, field, len(messages), err)
	}
	stream, err := fleetv1.NewManifestServiceClient(conn).CompareManifests(t.Context(), &fleetv1.CompareManifestsRequest{ResourceType: configMaps(), Against: "nobody"})
	_, err = receive(t, stream, err)
	if status.Code(err) != codes.NotFound {
		t.Errorf("an unknown cluster: %v", err)
	}
}

func TestAComparisonEndsWithinItsDeadlineWithWhatWasRead(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3, Counts: fleettest.OnlyConfigMaps(3)})
	fleettest.SetFault(t, sim, sim.Names()[0], simulator.Fault{Kind: simulator.Hang})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	got := compare(ctx, t, serve(t, f, server.Options{}), &fleetv1.CompareManifestsRequest{IncludeEqual: true})
	if !got.summary.GetDeadlineExceeded() || got.summary.GetSucceeded() != 2 || got.totals.GetEqual() != 3 || len(got.objects) != 3 {
		t.Errorf("%v, %v", got.summary, got.totals)
	}
	if e := got.clusters[sim.Names()[0]].GetError(); status.FromProto(e).Code() != codes.DeadlineExceeded {
		t.Errorf("the one that hangs: %v", e)
	}
}
