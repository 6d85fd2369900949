package test_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// differingObjects has a Deployment that is another one in one of three clusters, a ConfigMap that one of them lacks, and a
// Secret that differs in one value.
func differingObjects(t *testing.T, fleet *realkube.Fleet) {
	const canary = "c4n4ry-of-a-real-secret"
	for i, server := range fleet.Servers {
		createNamespace(t, server, "differ")
		web := deployment("web")
		web["metadata"].(object)["annotations"] = object{"deployment.kubernetes.io/revision": server.Name, "example.com/owner": server.Name}
		secret := object{"metadata": object{"name": "password"}, "stringData": object{"user": "me", "password": canary}}
		if i == 2 {
			web["spec"].(object)["replicas"] = 5
			secret["stringData"] = object{"user": "me", "password": canary + "-2"}
		} else {
			create(t, server, "/api/v1/namespaces/differ/configmaps", configMap("prices", map[string]string{"bread": "3"}))
		}
		create(t, server, "/apis/apps/v1/namespaces/differ/deployments", web)
		create(t, server, "/api/v1/namespaces/differ/secrets", secret)
	}
	a := programs.Aggregator(t, fleet.Kubeconfig)
	ignoring := []string{"-n", "differ", "--ignore", "metadata.annotations['example.com/owner']"}
	diff := func(args ...string) []string { return slices.Concat([]string{"diff"}, args, ignoring) }

	t.Run("a Deployment in one of three clusters", func(t *testing.T) {
		r := a.Fleetctl(t, diff("deploy", "web")...)
		exits(t, r, 3, "", "1 object in 3 clusters: 0 equal, 1 differing, 0 missing somewhere")
		head := "differ/web\n  baseline  2 clusters   real-1, real-2\n  differs   1 cluster    real-3\n--- real-1\n+++ real-3\n"
		if !strings.HasPrefix(r.Stdout, head) || !strings.Contains(r.Stdout, "\n-  replicas: 2\n+  replicas: 5\n") || strings.Count(r.Stdout, "\n+") != 2 {
			t.Errorf("got %s", r.Stdout)
		}
		exits(t, a.Fleetctl(t, diff("deploy", "web", "--against", "real-3")...), 3, "--- real-3\n+++ real-1\n", "")
		exits(t, a.Fleetctl(t, diff("deploy", "web", "--ignore", "spec.replicas")...), 0, "", "1 equal")
		exits(t, a.Fleetctl(t, diff("deployments", "--cluster", "real-1", "--cluster", "real-2")...), 0, "", "1 object in 2 clusters: 1 equal")
	})
	t.Run("an object that one lacks", func(t *testing.T) {
		for _, args := range [][]string{{"configmap", "prices"}, {"configmaps", "--field-selector", "metadata.name!=kube-root-ca.crt"}} {
			exits(t, a.Fleetctl(t, diff(args...)...), 3, "differ/prices\n  baseline  2 clusters   real-1, real-2\n  missing   1 cluster    real-3\n", "1 missing somewhere")
		}
		exits(t, a.Fleetctl(t, diff("configmap", "nowhere")...), 1, "", "configmap/nowhere is not found in any of 3 clusters")
	})
	t.Run("a Secret, without what is in it", func(t *testing.T) {
		for _, form := range []string{"table", "json", "jsonl"} {
			r := a.Fleetctl(t, diff("secret", "password", "-o", form)...)
			exits(t, r, 3, "password: '(hidden: ", "")
			if strings.Contains(r.Stdout+r.Stderr, canary) || strings.Contains(r.Stdout, base64.StdEncoding.EncodeToString([]byte(canary))) {
				t.Errorf("got %s", r.Stdout)
			}
		}
	})
	t.Run("an object that changes", func(t *testing.T) {
		status, answer := fleet.Servers[2].Do(t, http.MethodDelete, "/apis/apps/v1/namespaces/differ/deployments/web", "")
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, answer)
		}
		exits(t, a.Fleetctl(t, diff("deploy", "web")...), 3, "  missing   1 cluster    real-3\n", "")
	})
}
