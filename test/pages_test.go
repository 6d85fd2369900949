package test_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// manyObjects are more than an API server sends in one answer.
const manyObjects = 3000

func objectsOverSeveralPages(t *testing.T, fleet *realkube.Fleet) {
	const path = "/api/v1/namespaces/many/configmaps"
	wanted := map[string]list{}
	for i, server := range fleet.Servers {
		createNamespace(t, server, "many")
		createMany(t, server, path, manyObjects/(1+20*i), func(n int) object {
			// Text that JSON escapes in several ways.
			return configMap(fmt.Sprintf("settings-%04d", n), map[string]string{"text": strings.Repeat("<é\"\n\u2028>", n%7), "of": server.Name})
		})
		wanted[server.Name] = readList(t, server, path)
	}
	if got := len(wanted["real-1"].Items); got != manyObjects {
		t.Fatalf("the API server has %d objects", got)
	}
	a := programs.Aggregator(t, fleet.Kubeconfig)

	t.Run("are what the API servers have, one for one and in their order", func(t *testing.T) {
		reads, summary := fetch(t, a, &fleetv1.FetchManifestsRequest{
			ResourceType: &fleetv1.ResourceType{Resource: "configmaps"}, Namespace: "many",
			Output: &fleetv1.Output{ManagedFields: true},
		})
		total := 0
		for name, want := range wanted {
			got := reads[name]
			equalObjects(t, name, got.decoded(t), want.Items)
			if got.apiVersion != "v1" || got.kind != "ConfigMap" {
				t.Errorf("%s: objects of %q %q", name, got.apiVersion, got.kind)
			}
			end := got.completion
			pages := 1 + (len(want.Items)-1)/500
			if end.GetItems() != int64(len(want.Items)) || end.GetPages() != int32(pages) || end.GetResourceVersion() == "" || end.GetError() != nil {
				t.Errorf("%s: got %v, want %d objects in %d pages", name, end, len(want.Items), pages)
			}
			total += len(want.Items)
		}
		if summary.GetSucceeded() != 3 || summary.GetItems() != int64(total) {
			t.Errorf("got %v, want %d objects", summary, total)
		}
	})
	t.Run("are the same as JSON lines", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "configmaps", "-n", "many", "--show-managed-fields", "-o", "jsonl")
		exits(t, r, 0, "", "")
		equalByCluster(t, decodeLines(t, r.Stdout), wanted)
	})
	t.Run("are the same as a List", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "configmaps", "-n", "many", "--show-managed-fields", "-o", "json")
		equalByCluster(t, decodeList(t, r), wanted)
	})
	t.Run("lose nothing but managedFields where these are not asked for", func(t *testing.T) {
		without := map[string]list{}
		for name, want := range wanted {
			for i, item := range want.Items {
				want.Items[i] = withoutManagedFields(item)
			}
			without[name] = want
		}
		r := a.Fleetctl(t, "get", "configmaps", "-n", "many", "-o", "json")
		equalByCluster(t, decodeList(t, r), without)
	})
}

// decodeList decodes a printed List and returns its items.
func decodeList(t *testing.T, r process.Result) []object {
	t.Helper()
	exits(t, r, 0, "", "")
	var l list
	if err := json.Unmarshal([]byte(r.Stdout), &l); err != nil {
		t.Fatal(err)
	}
	if l.APIVersion != "v1" || l.Kind != "List" {
		t.Errorf("got a %q %q", l.APIVersion, l.Kind)
	}
	return l.Items
}

// equalByCluster compares printed objects with those of the API servers: printing adds their type and, in an annotation,
// their cluster.
func equalByCluster(t *testing.T, printed []object, wanted map[string]list) {
	t.Helper()
	got := map[string][]object{}
	for _, o := range printed {
		if o["apiVersion"] != "v1" || o["kind"] != "ConfigMap" {
			t.Fatalf("%s is of type %v %v", nameOf(o), o["apiVersion"], o["kind"])
		}
		delete(o, "apiVersion")
		delete(o, "kind")
		metadata, _ := o["metadata"].(object)
		annotations, _ := metadata["annotations"].(object)
		cluster, _ := annotations["clusterfleet.io/cluster"].(string)
		delete(annotations, "clusterfleet.io/cluster")
		if len(annotations) == 0 {
			delete(metadata, "annotations")
		}
		got[cluster] = append(got[cluster], o)
	}
	if len(got) != len(wanted) {
		t.Errorf("got objects of %d clusters, want %d", len(got), len(wanted))
	}
	for name, want := range wanted {
		equalObjects(t, name, got[name], want.Items)
	}
}

func equalObjects(t *testing.T, cluster string, got, want []object) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d objects, want %d", cluster, len(got), len(want))
	}
	for i := range want {
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Fatalf("%s: object %d is not what the API server has (-want +got):\n%s", cluster, i, diff)
		}
	}
}

func withoutManagedFields(o object) object {
	metadata, _ := o["metadata"].(object)
	delete(metadata, "managedFields")
	return o
}
