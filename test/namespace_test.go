package test_test

import (
	"net/http"
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func userOfOneNamespace(t *testing.T, fleet *realkube.Fleet) {
	one, two := fleet.Servers[0], fleet.Servers[1]
	for _, server := range fleet.Servers[:2] {
		createNamespace(t, server, "team")
		create(t, server, "/api/v1/namespaces/team/configmaps", configMap("prices", map[string]string{"bread": "3"}))
	}
	allow(t, one, "team", "limited", "get", "list")
	one.Await(t, one.LimitedToken(), "/api/v1/namespaces/team/configmaps", http.StatusOK)

	a := programs.Aggregator(t, writeKubeconfig(t,
		contextOf("admin", two),
		contextOf("limited", one).token(one.LimitedToken()).namespace("team")))
	t.Run("is healthy where the context names that namespace", func(t *testing.T) {
		results, _ := probe(t, a, 0)
		verdict(t, results["limited"], fleetv1.Verdict_STATE_HEALTHY, 0)
		if got := results["limited"].GetObservation().GetVerdict().GetUsername(); got != "limited" {
			t.Errorf("got user %q", got)
		}
	})
	t.Run("reads in that namespace", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "configmaps", "-n", "team", "--require-complete", "-o", "name")
		exits(t, r, 0, "limited\tconfigmap/prices", "")
		exits(t, r, 0, "admin\tconfigmap/prices", "")
	})
	t.Run("is warned of where it may not read, beside the others", func(t *testing.T) {
		r := a.Fleetctl(t, "get", "configmaps", "-A", "-o", "name")
		exits(t, r, 0, "admin\tteam\tconfigmap/prices", "limited")
		exits(t, a.Fleetctl(t, "get", "configmaps", "-A", "--require-complete"), 3, "prices", "limited")
		reads, summary := fetch(t, a, &fleetv1.FetchManifestsRequest{ResourceType: &fleetv1.ResourceType{Resource: "configmaps"}})
		if reads["limited"].reason() != "FORBIDDEN" || reads["admin"].completion.GetError() != nil || summary.GetFailed() != 1 {
			t.Errorf("got %v, %v, %v", reads["limited"].completion, reads["admin"].completion, summary)
		}
	})
	t.Run("is not authorized where the context names no namespace", func(t *testing.T) {
		a := programs.Aggregator(t, writeKubeconfig(t, contextOf("limited", one).token(one.LimitedToken())))
		results, _ := probe(t, a, 3)
		verdict(t, results["limited"], fleetv1.Verdict_STATE_UNAUTHORIZED, fleetv1.Verdict_REASON_FORBIDDEN)
	})
}

// allow lets a user do something with pods and configmaps in a namespace.
func allow(t *testing.T, server *realkube.Server, namespace, user string, verbs ...string) {
	t.Helper()
	rbac := "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace
	create(t, server, rbac+"/roles", object{
		"metadata": object{"name": "allowed"},
		"rules":    []any{object{"apiGroups": []string{""}, "resources": []string{"configmaps", "pods"}, "verbs": verbs}},
	})
	create(t, server, rbac+"/rolebindings", object{
		"metadata": object{"name": "allowed"},
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "allowed"},
		"subjects": []any{object{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}},
	})
}
