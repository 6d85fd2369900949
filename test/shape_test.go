package test_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// selectionAndShape asks for what no selector can say, and for values instead of objects.
func selectionAndShape(t *testing.T, fleet *realkube.Fleet) {
	const secret = "d0-n0t-t3ll"
	for i, server := range fleet.Servers {
		createNamespace(t, server, "shape")
		createMany(t, server, "/api/v1/namespaces/shape/pods", 3, pod)
		createMany(t, server, "/api/v1/namespaces/shape/configmaps", 4, func(n int) object {
			return configMap(fmt.Sprint("map-", n), map[string]string{"n": fmt.Sprint(n), "server": fmt.Sprint(i)})
		})
		create(t, server, "/apis/apps/v1/namespaces/shape/deployments", deployment("web"))
		other := deployment(fmt.Sprint("other-", i))
		other["spec"].(object)["template"].(object)["spec"] = object{"containers": []any{object{"name": "main", "image": fmt.Sprint("example.com/other:", i%2)}}}
		create(t, server, "/apis/apps/v1/namespaces/shape/deployments", other)
		create(t, server, "/api/v1/namespaces/shape/secrets", object{"metadata": object{"name": "s"}, "stringData": object{"key": secret}})
	}
	a := programs.Aggregator(t, fleet.Kubeconfig)

	t.Run("pods by what is in them", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "pods", "-n", "shape", "--require-complete", "--where",
			`object.kind == "Pod" && object.metadata.name != "pod-1" && object.spec.containers.exists(c, c.image.endsWith(":1"))`)
		exits(t, r, 0, "CLUSTER", "")
		if strings.Count(r.Stdout, "pod-0") != 3 || strings.Count(r.Stdout, "pod-2") != 3 || strings.Contains(r.Stdout, "pod-1") || strings.Contains(r.Stdout, "unknown") {
			t.Errorf("got %s", r.Stdout)
		}
	})
	t.Run("configmaps as whole objects", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "configmaps", "-n", "shape", "-o", "jsonl", "--where", `int(object.data.n) > 1 && object.data.server == "2"`)
		exits(t, r, 0, "", "")
		var names []string
		for _, o := range decodeLines(t, r.Stdout) {
			names = append(names, nameOf(o))
		}
		if diff := cmp.Diff([]string{"shape/map-2", "shape/map-3"}, names); diff != "" {
			t.Errorf("(-want +got):\n%s\n%s", diff, r.Stderr)
		}
	})
	t.Run("images over the fleet", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "deploy", "-n", "shape", "--require-complete", "--group-by", "{.spec.template.spec.containers[0].image}")
		want := "VALUE                 COUNT   CLUSTERS\n" +
			"example.com/web:1     3       3\n" +
			"example.com/other:0   2       2\n" +
			"example.com/other:1   1       1\n"
		if diff := cmp.Diff(want, r.Stdout); diff != "" || r.Code != 0 {
			t.Errorf("exit code %d, %s (-want +got):\n%s", r.Code, r.Stderr, diff)
		}
	})
	t.Run("nothing of Secrets", func(t *testing.T) {
		exits(t, a.Fleetctl(t, "get", "secrets", "-n", "shape", "--where", `has(object.data) || has(object.stringData)`), 0, "", "No resources found in shape namespace.")
		exits(t, a.Fleetctl(t, "get", "secrets", "-n", "shape", "--where", `!has(object.data)`, "-o", "name"), 0, "secret/s", "")
		exits(t, a.Fleetctl(t, "get", "secrets", "-n", "shape", "--group-by", "{.data}"), 0, "<none>", "")
		exits(t, a.Fleetctl(t, "get", "secrets", "-n", "shape", "--where", `object.data.key > 3`), 0, "", "No resources found")
		for _, args := range [][]string{{"--where", "true", "-o", "json"}, {"--group-by", "{@}", "-o", "json"}, {"--where", "object.metadata > 3"}} {
			r := a.Fleetctl(t, append([]string{"get", "secrets", "-n", "shape"}, args...)...)
			if all := r.Stdout + r.Stderr; strings.Contains(all, secret) || strings.Contains(all, "ZDAtbjB0LXQzbGw") {
				t.Errorf("%v tells it: %s", args, all)
			}
		}
	})
	t.Run("a mistake is told with its place", func(t *testing.T) {
		exits(t, a.Fleetctl(t, "get", "pods", "--where", `object.spec.replicas >`), 2, "", "error: --where: 1:23: Syntax error")
		exits(t, a.Fleetctl(t, "get", "pods", "--group-by", `{.spec.containers[0:5:0]}`), 2, "", "error: --group-by: ")
	})
	t.Run("bytes count, objects that do not match do not", func(t *testing.T) {
		_, summary := fetch(t, a, &fleetv1.FetchManifestsRequest{ResourceType: &fleetv1.ResourceType{Resource: "pods"}, Namespace: "shape", Where: `object.metadata.name == "pod-1"`})
		if summary.GetItems() != 3 || summary.GetBytes() < 3*1000 || summary.GetSucceeded() != 3 {
			t.Errorf("got %v", summary)
		}
	})
}
