package simulator_test

import (
	"testing"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// aggregatedGroups returns the groups of aggregated discovery, none where the cluster does not offer it.
func aggregatedGroups(t *testing.T, c *client) map[string]apidiscoveryv2.APIGroupDiscovery {
	t.Helper()
	const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
	var list apidiscoveryv2.APIGroupDiscoveryList
	c.getAs("/apis", map[string]string{"Accept": accept}).decode(t, &list)
	groups := map[string]apidiscoveryv2.APIGroupDiscovery{}
	for _, group := range list.Items {
		groups[group.Name] = group
	}
	return groups
}

func TestABrokenAPIIsStaleAndEmptyInAggregatedDiscovery(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.BrokenAPI})
	s.both(func(t *testing.T, c *client) {
		groups := aggregatedGroups(t, c)
		version := groups["metrics.k8s.io"].Versions[0]
		if version.Freshness != apidiscoveryv2.DiscoveryFreshnessStale || len(version.Resources) != 0 {
			t.Errorf("got %+v", version)
		}
		if groups["apps"].Versions[0].Freshness != apidiscoveryv2.DiscoveryFreshnessCurrent {
			t.Errorf("apps is stale, too")
		}
	})
}

func TestOldKubernetesHasNoAggregatedDiscovery(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.OldKubernetes})
	s.both(func(t *testing.T, c *client) {
		if groups := aggregatedGroups(t, c); len(groups) != 0 {
			t.Errorf("got %v", groups)
		}
	})
}

func TestOddClustersServeWhatTheOthersDoNot(t *testing.T) {
	for _, c := range []struct {
		kind   simulator.Kind
		path   string
		status int
		parts  []string
	}{
		{simulator.BrokenAPI, "/apis", 200, []string{`"metrics.k8s.io/v1beta1"`, `"apps/v1"`}},
		{simulator.BrokenAPI, "/apis/metrics.k8s.io/v1beta1", 503, []string{"service unavailable\n"}},
		{simulator.BrokenAPI, "/apis/metrics.k8s.io/v1beta1/nodes", 503, nil},
		{simulator.ExtraType, "/apis/example.org/v1alpha1", 200, []string{`"gadgets"`, `"gd"`}},
		{simulator.ExtraType, "/apis/example.org/v1alpha1/gadgets", 200, []string{`"kind":"GadgetList"`, `"items":[]`}},
		{simulator.ExtraType, "/apis/example.org/v1alpha1/namespaces/default/gadgets/x", 404, nil},
		{simulator.ExtraType, "/version", 200, []string{`"v1.36.3"`, `"minor":"36"`}},
		{simulator.OldKubernetes, "/version", 200, []string{`"v1.24.17"`, `"minor":"24"`}},
		{simulator.OldKubernetes, "/apis/policy/v1beta1", 200, []string{`"podsecuritypolicies"`, `"PodDisruptionBudget"`}},
		{simulator.OldKubernetes, "/apis/batch/v1beta1/cronjobs", 200, []string{`"apiVersion":"batch/v1beta1"`}},
		{simulator.OldKubernetes, "/api/v1/pods", 200, nil},
		{simulator.OldKubernetes, "/readyz", 200, nil},
	} {
		s := newStage(t, simulator.Fault{Kind: c.kind})
		s.both(func(t *testing.T, client *client) { wantStatus(t, client.get(c.path), c.status, c.parts...) })
	}
}

func TestListsOfOddTypesComeInTheFormAskedFor(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.ExtraType})
	s.both(func(t *testing.T, c *client) {
		for accept, part := range map[string]string{
			"application/json;as=Table;g=meta.k8s.io;v=v1":                     `"kind":"Table"`,
			"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1": `"kind":"PartialObjectMetadataList"`,
			"application/json": `"kind":"GadgetList"`,
		} {
			wantStatus(t, c.getAs("/apis/example.org/v1alpha1/gadgets", map[string]string{"Accept": accept}), 200, part)
		}
	})
}
