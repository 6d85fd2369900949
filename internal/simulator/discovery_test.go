package simulator_test

import (
	"net/http"
	"slices"
	"testing"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	"k8s.io/client-go/discovery"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestClientGoDiscoversEverything(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 1})
	for _, legacy := range []bool{false, true} {
		settings := load(t, fleet).settings("sim-0001")
		found, err := discovery.NewDiscoveryClientForConfigAndClient(settings, bearing(newClient(t, fleet, "sim-0001")))
		if err != nil {
			t.Fatal(err)
		}
		found.UseLegacyDiscovery = legacy
		_, lists, err := found.ServerGroupsAndResources()
		if err != nil {
			t.Fatalf("legacy %v: %v", legacy, err)
		}
		names := map[string][]string{}
		for _, list := range lists {
			for _, resource := range list.APIResources {
				names[list.GroupVersion+" "+resource.Name] = resource.ShortNames
			}
		}
		for key, short := range map[string]string{
			"v1 pods": "po", "v1 configmaps": "cm", "v1 nodes": "no", "v1 namespaces": "ns", "v1 services": "svc",
			"apps/v1 deployments": "deploy", "apps/v1 statefulsets": "sts", "apps/v1 replicasets": "rs",
			"example.com/v1 widgets": "wd",
		} {
			if !slices.Contains(names[key], short) {
				t.Errorf("legacy %v: %s has short names %v, want %s", legacy, key, names[key], short)
			}
		}
		for _, key := range []string{
			"v1 secrets", "authentication.k8s.io/v1 selfsubjectreviews", "authorization.k8s.io/v1 selfsubjectaccessreviews",
		} {
			if _, ok := names[key]; !ok {
				t.Errorf("legacy %v: no %s", legacy, key)
			}
		}
	}
}

// bearing adds the token, as client-go expects of the HTTP client it is given.
func bearing(c *client) *http.Client {
	return &http.Client{Transport: bearer{c}}
}

type bearer struct{ c *client }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.c.token)
	return b.c.transport.RoundTrip(r)
}

func TestAggregatedDiscoveryIsNegotiatedAndCached(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
	for path, groups := range map[string]int{"/api": 1, "/apis": 4} {
		answer := c.getAs(path, map[string]string{"Accept": accept + ",application/json"})
		var list apidiscoveryv2.APIGroupDiscoveryList
		answer.decode(t, &list)
		if list.Kind != "APIGroupDiscoveryList" || len(list.Items) != groups {
			t.Errorf("%s: %s with %d groups, want %d", path, list.Kind, len(list.Items), groups)
		}
		if answer.header.Get("Content-Type") != accept {
			t.Errorf("content type %q", answer.header.Get("Content-Type"))
		}
		again := c.getAs(path, map[string]string{"Accept": accept, "If-None-Match": answer.header.Get("ETag")})
		wantStatus(t, again, http.StatusNotModified)
	}
	wantStatus(t, c.get("/apis"), 200, `"kind":"APIGroupList"`)
	wantStatus(t, c.get("/apis/apps"), 200, `"kind":"APIGroup"`, `"preferredVersion"`)
	wantStatus(t, c.getAs("/apis", map[string]string{
		"Accept": "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
	}), 200, `"kind":"APIGroupList"`)
}
