package server

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

func TestAPackedBatchIsTheMessageOfTheAPI(t *testing.T) {
	for name, b := range map[string]*fleet.Batch{
		"nothing": {},
		"objects": {Cluster: "prod-1", APIVersion: "v1", Kind: "Pod", Items: []fleet.Item{
			{Namespace: "shop", Name: "web", JSON: []byte(`{"a":1}`)},
			{Name: "node", JSON: []byte(strings.Repeat("x", 1000))},
			{},
		}},
		"large ones":  {Cluster: "c", Items: []fleet.Item{{Name: "n", JSON: []byte(strings.Repeat("y", pooledBytes))}}},
		"projections": {Cluster: "c", Items: []fleet.Item{{Namespace: "a", Name: "b", Projection: "nginx:1"}, {Name: "c"}}},
		"a table":     {Cluster: "c", Columns: []manifest.Column{{Name: "Name"}}, Rows: []manifest.Row{{Cells: []string{"a"}, Name: "a"}}},
		"an end":      {Cluster: "c", End: &fleet.End{Items: 3, Bytes: 4, Truncated: true}, Items: []fleet.Item{{Name: "last", JSON: []byte(`{}`)}}},
	} {
		want := &fleetv1.ManifestBatch{
			Cluster: b.Cluster, ApiVersion: b.APIVersion, Kind: b.Kind, Table: table(b), Completion: completion(b.End),
		}
		for _, item := range b.Items {
			want.Manifests = append(want.Manifests, manifestMessage(item))
		}
		for range 2 { // the second time with a buffer that was used before
			message, err := pack(b)
			if err != nil {
				t.Fatal(err)
			}
			data, err := newCodec().Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			got := &fleetv1.FetchManifestsResponse{}
			if err := proto.Unmarshal(data.Materialize(), got); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			data.Free()
			if diff := cmp.Diff(want, got.GetBatch(), protocmp.Transform()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}
