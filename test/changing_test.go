package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// changingObjects of changingBytes are more pages than are on their way to a caller who does not read.
const changingObjects, changingBytes = 2100, 8 << 10

// listThatChangesWhileItIsRead compacts etcd between two pages, as a production server does every five minutes: continue
// tokens expire, and the API server gives others.
func listThatChangesWhileItIsRead(t *testing.T, fleet *realkube.Fleet) {
	const namespace, path = "changing", "/api/v1/namespaces/changing/configmaps"
	server := fleet.Servers[0]
	createNamespace(t, server, namespace)
	text := strings.Repeat("0123456789abcdef", changingBytes/16)
	createMany(t, server, path, changingObjects, func(n int) object {
		return configMap(fmt.Sprintf("settings-%04d", n), map[string]string{"text": text})
	})
	const late = "z-created-meanwhile"
	a := programs.Aggregator(t, fleet.Kubeconfig, product.Unwatched)
	stream := a.Client(t).FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{
		Selector:     &fleetv1.ClusterSelector{Names: []string{server.Name}},
		ResourceType: &fleetv1.ResourceType{Resource: "configmaps"}, Namespace: namespace,
	})
	var got read
	changed := false
	for batch, err := range stream.Results() {
		if err != nil {
			t.Fatal(err)
		}
		got.add(t, batch)
		if !changed {
			changed = true
			<-time.After(3 * time.Second) // longer than a page that was asked for ahead is kept
			expireTokens(t, server, path, late)
		}
	}
	seen := map[string]int{}
	for _, m := range got.objects {
		seen[m.GetName()]++
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", name, n)
		}
	}
	if end := got.completion; len(seen) != changingObjects+1 || seen[late] != 1 || !end.GetInconsistent() || end.GetError() != nil {
		t.Errorf("%d different objects of %d; the end is %v; what was created meanwhile came %d times", len(seen), changingObjects+1, end, seen[late])
	}
}

// expireTokens creates an object and makes the API server forget the versions before it. API servers keep snapshots of lists
// beside etcd, until they learn that it was compacted.
func expireTokens(t *testing.T, server *realkube.Server, path, name string) {
	t.Helper()
	_, answer := server.Do(t, http.MethodGet, path+"?limit=1", "")
	var page struct{ Metadata struct{ Continue string } }
	if err := json.Unmarshal(answer, &page); err != nil {
		t.Fatal(err)
	}
	create(t, server, path, configMap(name, nil))
	server.Compact(t)
	server.Await(t, server.Token, path+"?limit=1&continue="+url.QueryEscape(page.Metadata.Continue), http.StatusGone)
}
