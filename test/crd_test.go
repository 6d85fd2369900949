package test_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func customResourceInOneCluster(t *testing.T, fleet *realkube.Fleet) {
	a := programs.Aggregator(t, fleet.Kubeconfig)
	// The aggregator has asked all clusters for their types before the new one comes.
	exits(t, a.Fleetctl(t, "get", "gizmos", "-A"), 1, "", "gizmos is not found in any of 3 clusters")
	has := fleet.Servers[1]
	define(t, has)
	create(t, has, "/apis/example.com/v1/namespaces/default/gizmos", object{
		"apiVersion": "example.com/v1", "kind": "Gizmo", "metadata": object{"name": "spring"}, "spec": object{"size": 3},
	})

	t.Run("is found by an aggregator that was there before it", func(t *testing.T) {
		awaitType(t, func() bool { return a.Fleetctl(t, "get", "gizmos", "-A").Code == 0 })
	})
	for _, name := range []string{"gizmos", "gizmo", "Gizmo", "gz", "gizmos.example.com", "gizmos.v1.example.com"} {
		t.Run("is read by the name "+name, func(t *testing.T) {
			r := a.Fleetctl(t, "get", name, "-A", "-o", "json")
			items := decodeList(t, r)
			if len(items) != 1 || items[0]["kind"] != "Gizmo" || items[0]["apiVersion"] != "example.com/v1" || nameOf(items[0]) != "default/spring" {
				t.Errorf("got %v", items)
			}
			for cluster, told := range map[string]bool{"real-1": true, "real-2": false, "real-3": true} {
				if strings.Contains(r.Stderr, cluster) != told {
					t.Errorf("got, on stderr, %q", r.Stderr)
				}
			}
			exits(t, a.Fleetctl(t, "get", name, "-A", "--require-complete"), 3, "spring", "")
		})
	}
	t.Run("is shown as a type of one of three clusters", func(t *testing.T) {
		r := a.Fleetctl(t, "api-resources", "--api-group", "example.com", "--no-headers", "-o", "wide")
		exits(t, r, 0, "", "")
		if got := strings.Join(strings.Fields(r.Stdout), " "); got != "gizmos gz example.com/v1 true Gizmo 1/3 1 - real-2 -" {
			t.Errorf("got %q", r.Stdout)
		}
	})
	t.Run("prints the columns that it defines", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "gz", "-A", "--cluster", "real-2")
		exits(t, r, 0, "", "")
		if got := strings.Join(strings.Fields(r.Stdout)[:5], " "); got != "CLUSTER NAMESPACE NAME SIZE real-2" {
			t.Errorf("got %q", r.Stdout)
		}
	})
}

// define gives a server the type Gizmo and waits until it serves it.
func define(t *testing.T, server *realkube.Server) {
	t.Helper()
	create(t, server, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", object{
		"metadata": object{"name": "gizmos.example.com"},
		"spec": object{
			"group": "example.com", "scope": "Namespaced",
			"names": object{"plural": "gizmos", "singular": "gizmo", "kind": "Gizmo", "listKind": "GizmoList", "shortNames": []string{"gz"}},
			"versions": []any{object{
				"name": "v1", "served": true, "storage": true,
				"additionalPrinterColumns": []any{object{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}},
				"schema":                   object{"openAPIV3Schema": object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	})
	server.Await(t, server.Token, "/apis/example.com/v1/namespaces/default/gizmos", http.StatusOK)
}

// awaitType asks twice a second, for as long as the aggregator may hold on to the types that it knows.
func awaitType(t *testing.T, found func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Second / 2)
	defer ticker.Stop()
	timeout := time.After(40 * time.Second)
	for !found() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatal("the new type is not found")
		}
	}
}
