package test_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func workloadsThatSleep(t *testing.T, fleet *realkube.Fleet) {
	for _, server := range fleet.Servers {
		createNamespace(t, server, "asleep")
		createWorkload(t, server, "deployments", asleep(deployment("web"), "3"))
		createWorkload(t, server, "statefulsets", asleep(statefulSet("db"), "1"))
		createWorkload(t, server, "replicasets", asleep(replicaSet("alone"), "2"))
		createWorkload(t, server, "replicasets", controlled(replicaSet("part")))
	}
	awake := fleet.Servers[1]
	createWorkload(t, awake, "deployments", without(deployment("api"), "replicas")) // the server makes it 1
	createWorkload(t, awake, "statefulsets", statefulSet("queue"))

	rollouts := fleet.Servers[2]
	defineRollouts(t, rollouts)
	createWorkload(t, rollouts, "rollouts", asleep(rollout("canary"), "4"))
	createWorkload(t, rollouts, "rollouts", without(rollout("referring"), "replicas")) // nothing is known of it

	a := programs.Aggregator(t, fleet.Kubeconfig)
	t.Run("by cluster", func(t *testing.T) {
		got := sleepers(t, a, "-n", "asleep")
		for cluster, want := range map[string]*fleetv1.HibernationGroup{
			"real-1": {State: fleetv1.HibernationGroup_STATE_HIBERNATED, Eligible: 3, Hibernated: 3, HibernatedReplicas: 6},
			"real-2": {State: fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED, Eligible: 5, Hibernated: 3, Replicas: 1 + 2, HibernatedReplicas: 6},
			"real-3": {State: fleetv1.HibernationGroup_STATE_HIBERNATED, Eligible: 4, Hibernated: 4, HibernatedReplicas: 10},
		} {
			if diff := cmp.Diff([]*fleetv1.HibernationGroup{want}, got[cluster].GetGroups(), protocmp.Transform()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", cluster, diff)
			}
		}
	})
	t.Run("by workload", func(t *testing.T) {
		r := a.Fleetctl(t, "hibernation", "-n", "asleep", "--by", "workload", "--cluster", "real-3", "--no-headers", "--require-complete")
		exits(t, r, 0, "", "4 of 4 workloads sleep and had 10 replicas; 1 of 1 clusters read in ")
		var lines []string
		for line := range strings.Lines(r.Stdout) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		want := []string{
			"real-3 asleep deployment/web HIBERNATED 0 3",
			"real-3 asleep replicaset/alone HIBERNATED 0 2",
			"real-3 asleep rollout/canary HIBERNATED 0 4",
			"real-3 asleep statefulset/db HIBERNATED 0 1",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
	t.Run("by labels, namespaces and another annotation", func(t *testing.T) {
		exits(t, a.Fleetctl(t, "hibernation", "-A", "-l", "app=web", "--by", "namespace", "--state", "hibernated", "-o", "name"), 0, "real-2\tasleep", "")
		exits(t, a.Fleetctl(t, "hibernation", "-n", "asleep", "--annotation", "example.com/was", "--state", "hibernated"), 0, "", "0 of 12 workloads sleep")
	})
	t.Run("what a user may not read is unknown, and what is not there is not", func(t *testing.T) {
		limited := fleet.Servers[0]
		allowDeployments(t, limited)
		limited.Await(t, limited.LimitedToken(), pathOf("deployments"), http.StatusOK)
		a := programs.Aggregator(t, writeKubeconfig(t, contextOf("limited", limited).token(limited.LimitedToken())))
		want := &fleetv1.HibernationGroup{State: fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED, Eligible: 1, Hibernated: 1, Unknown: 2, HibernatedReplicas: 3}
		got := sleepers(t, a, "-n", "asleep")["limited"]
		if diff := cmp.Diff([]*fleetv1.HibernationGroup{want}, got.GetGroups(), protocmp.Transform()); diff != "" || len(got.GetUnreadable()) != 2 || got.GetUnreadable()[0].GetReason() != "FORBIDDEN" {
			t.Errorf("got %v (-want +got):\n%s", got.GetUnreadable(), diff)
		}
		exits(t, a.Fleetctl(t, "hibernation", "-n", "asleep", "--require-complete"), 3, "PARTIALLY_HIBERNATED", "warning: limited: statefulsets.apps: ")
		exits(t, a.Fleetctl(t, "hibernation"), 1, "UNKNOWN", "error: limited: ") // all namespaces
	})
}

// sleepers runs `fleetctl hibernation -o json` and returns the results by cluster.
func sleepers(t *testing.T, a *product.Aggregator, args ...string) map[string]*fleetv1.HibernationResult {
	t.Helper()
	r := a.Fleetctl(t, append([]string{"hibernation", "-o", "json"}, args...)...)
	exits(t, r, 0, "", "")
	var document struct{ Items []json.RawMessage }
	if err := json.Unmarshal([]byte(r.Stdout), &document); err != nil {
		t.Fatalf("%v in %s\n%s", err, r.Stdout, r.Stderr)
	}
	results := make(map[string]*fleetv1.HibernationResult)
	for _, item := range document.Items {
		result := &fleetv1.HibernationResult{}
		if err := protojson.Unmarshal(item, result); err != nil {
			t.Fatalf("%v in %s", err, item)
		}
		results[result.GetCluster()] = result
	}
	return results
}

func pathOf(workloads string) string {
	if workloads == "rollouts" {
		return "/apis/argoproj.io/v1alpha1/namespaces/asleep/rollouts"
	}
	return "/apis/apps/v1/namespaces/asleep/" + workloads
}

func createWorkload(t *testing.T, server *realkube.Server, workloads string, o object) {
	t.Helper()
	create(t, server, pathOf(workloads), o)
}

func statefulSet(name string) object {
	o := deployment(name)
	o["spec"].(object)["serviceName"] = name
	return o
}

func replicaSet(name string) object { return deployment(name) }

func rollout(name string) object {
	o := deployment(name)
	o["apiVersion"], o["kind"] = "argoproj.io/v1alpha1", "Rollout"
	return o
}

// asleep is a workload that was put to sleep.
func asleep(o object, was string) object {
	o["metadata"].(object)["annotations"] = object{"hibernator.devtron.ai/replicas": was}
	o["spec"].(object)["replicas"] = 0
	return o
}

func without(o object, field string) object {
	delete(o["spec"].(object), field)
	return o
}

// controlled is a workload that is a part of another.
func controlled(o object) object {
	o["metadata"].(object)["ownerReferences"] = []any{object{
		"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "00000000-0000-0000-0000-000000000001", "controller": true,
	}}
	return o
}

// defineRollouts gives a server the type Rollout, as far as it matters here.
func defineRollouts(t *testing.T, server *realkube.Server) {
	t.Helper()
	create(t, server, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", object{
		"metadata": object{"name": "rollouts.argoproj.io"},
		"spec": object{
			"group": "argoproj.io", "scope": "Namespaced",
			"names": object{"plural": "rollouts", "singular": "rollout", "kind": "Rollout", "listKind": "RolloutList", "shortNames": []string{"ro"}},
			"versions": []any{object{
				"name": "v1alpha1", "served": true, "storage": true,
				"schema": object{"openAPIV3Schema": object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	})
	server.Await(t, server.Token, pathOf("rollouts"), http.StatusOK)
}

// allowDeployments lets the limited user read the deployments that sleep.
func allowDeployments(t *testing.T, server *realkube.Server) {
	t.Helper()
	rbac := "/apis/rbac.authorization.k8s.io/v1/namespaces/asleep"
	create(t, server, rbac+"/roles", object{
		"metadata": object{"name": "deployments"},
		"rules":    []any{object{"apiGroups": []string{"apps"}, "resources": []string{"deployments"}, "verbs": []string{"get", "list"}}},
	})
	create(t, server, rbac+"/rolebindings", object{
		"metadata": object{"name": "deployments"},
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployments"},
		"subjects": []any{object{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "limited"}},
	})
}
