package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// images answers with the projections of some deployments.
func images(m member, _ *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
	values := []string{"app:1", "app:1", "app:2", ""}
	if m.cluster.GetName() == "c" {
		values = []string{"app:1", "", "evil\x1b[31m\n:3"}
	}
	var batches []*fleetv1.ManifestBatch
	for i, value := range values {
		batches = append(batches, &fleetv1.ManifestBatch{ApiVersion: "apps/v1", Kind: "Deployment", Manifests: []*fleetv1.Manifest{{
			Namespace: "shop", Name: fmt.Sprint("web-", i), Projection: value,
		}}})
	}
	return batches
}

func TestValuesAreCountedOverTheFleet(t *testing.T) {
	broken := healthyMember("z")
	broken.failure = failed(codes.Unavailable, "no", "X")
	f := fleet{members: []member{healthyMember("c"), healthyMember("a"), healthyMember("b"), healthyMember("d"), broken}, fetch: images}
	address := clienttest.Serve(t, f.script())
	for format, want := range map[string]string{
		"table": "VALUE              COUNT   CLUSTERS\n" +
			"app:1              7       4\n" +
			"<none>             4       4\n" +
			"app:2              3       3\n" +
			`evil\x1b[31m\n:3   1       1` + "\n",
		"wide": "VALUE              COUNT   CLUSTERS   NAMES\n" +
			"app:1              7       4          a, b, c and 1 more\n" +
			"<none>             4       4          a, b, c and 1 more\n" +
			"app:2              3       3          a, b, d\n" +
			`evil\x1b[31m\n:3   1       1          c` + "\n",
		"name": "app:1\n<none>\napp:2\n" + `evil\x1b[31m\n:3` + "\n",
		"jsonl": `{"value":"app:1","count":7,"clusters":["a","b","c","d"]}` + "\n" +
			`{"count":4,"clusters":["a","b","c","d"]}` + "\n" +
			`{"value":"app:2","count":3,"clusters":["a","b","d"]}` + "\n" +
			`{"value":"evil\u001b[31m\n:3","count":1,"clusters":["c"]}` + "\n",
		"jsonpath={.items[0].value}":             "app:1",
		"custom-columns=V:.value,N:.clusters[0]": "V                  N\napp:1              a\n<none>             a\napp:2              a\n" + `evil\x1b[31m\n:3   c` + "\n",
		"yaml":                                   "items:\n- clusters:\n  - a\n  - b\n  - c\n  - d\n  count: 7\n  value: app:1\n",
		"json":                                   "{\n    \"items\": [\n        {\n            \"value\": \"app:1\",\n            \"count\": 7,\n",
	} {
		for flag, code := range map[string]int{"--require-complete": exitUnhealthy, "--require-complete=false": exitDone} {
			stdout, stderr, got := fleetctl(t.Context(), t, "get", "deploy", "-A", "--group-by", "{.x}", "-o", format, flag, "--server", address)
			if format == "json" || format == "yaml" {
				stdout = stdout[:min(len(want), len(stdout))]
			}
			if diff := cmp.Diff(want, stdout); diff != "" || got != code || stderr != "warning: z: no (X)\n4 of 5 clusters read\n" {
				t.Errorf("%s %s: exit code %d: %s\nstdout (-want +got):\n%s", format, flag, got, stderr, diff)
			}
		}
	}
}

func TestTooManyDifferentValuesEndTheCall(t *testing.T) {
	f := fleet{members: []member{healthyMember("a")}, fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		batch := &fleetv1.ManifestBatch{}
		for i := range maxGroups + 1 {
			batch.Manifests = append(batch.Manifests, &fleetv1.Manifest{Name: "x", Projection: fmt.Sprint(i)})
		}
		return []*fleetv1.ManifestBatch{batch}
	}}
	_, stderr, code := fleetctl(t.Context(), t, "get", "pods", "--group-by", "{.x}", "--server", clienttest.Serve(t, f.script()))
	if code != exitFailed || !strings.HasPrefix(stderr, "error: there are too many different values to group by (more than 10000") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestSelectedObjectsAreATableOfTheirOwn(t *testing.T) {
	f := fleet{members: []member{healthyMember("b"), healthyMember("a")}, fetch: func(_ member, req *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		if req.GetWhere() == "false" {
			return nil
		}
		return []*fleetv1.ManifestBatch{{ApiVersion: "v1", Kind: "Pod", Manifests: []*fleetv1.Manifest{
			{Namespace: "shop", Name: "web-0", Projection: "2000-01-02T03:04:05Z"}, {Namespace: "shop", Name: "web-1"},
		}}}
	}}
	address := clienttest.Serve(t, f.script())
	for line, want := range map[string]string{
		"get pods -A --where true":                   "CLUSTER   NAMESPACE   NAME    AGE\na         shop        web-0   26y\na         shop        web-1   <unknown>\nb         shop        web-0   26y\nb         shop        web-1   <unknown>\n",
		"get pods -n shop --where true --no-headers": "a     web-0   26y\na     web-1   <unknown>\nb     web-0   26y\nb     web-1   <unknown>\n",
		"get pods -A --where true -o name":           "b\tshop\tpod/web-0\nb\tshop\tpod/web-1\na\tshop\tpod/web-0\na\tshop\tpod/web-1\n",
		"get pods -A --where false":                  "",
	} {
		stdout, stderr, code := fleetctl(t.Context(), t, append(strings.Fields(line), "--server", address)...)
		if diff := cmp.Diff(want, stdout); diff != "" || code != exitDone || (stderr == "No resources found.\n") != (want == "") {
			t.Errorf("%s: exit code %d: %s\nstdout (-want +got):\n%s", line, code, stderr, diff)
		}
	}
}
