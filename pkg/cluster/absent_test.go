package cluster_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// absences are the ways to ask for something that is not there.
func absences() map[string]cluster.Query {
	return map[string]cluster.Query{
		"a list of a version": {Type: cluster.TypeName{Version: "v1", Name: "gizmos"}},
		"a list":              {Type: cluster.TypeName{Name: "gizmos"}},
		"an object":           {Type: cluster.TypeName{Version: "v1", Name: "gizmos"}, Namespace: "ns", Name: "a"},
		"metadata":            {Type: cluster.TypeName{Version: "v1", Name: "gizmos"}, Format: cluster.MetadataFormat},
	}
}

func TestA404OfWhatIsNoKubernetesAPIIsAFailure(t *testing.T) {
	t.Parallel()
	for about, everything := range map[string]http.HandlerFunc{
		"a page":   always(404, "<html>default backend - 404</html>"),
		"nothing":  always(404, ""),
		"Go":       http.NotFound,
		"a Status": func(w http.ResponseWriter, _ *http.Request) { status(w, 404, "no") },
	} {
		a := newAPI(t)
		a.on("*", everything)
		client := newClient(t, a.config())
		for what, q := range absences() {
			if e := readAll(t.Context(), t, client, q); e == nil || e.Reason != cluster.MalformedResponse || e.StatusCode != 404 || !strings.Contains(e.Message, "404") {
				t.Errorf("%s, %s: %+v", about, what, e)
			}
		}
		_, err := client.Types(t.Context())
		if e, ok := errors.AsType[*cluster.Error](err); !ok || e.Reason != cluster.MalformedResponse {
			t.Errorf("%s, types: %v", about, err)
		}
	}
}

func TestAnAPIServerThatDoesNotServeATypeLacksIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, coreDiscovery))
	a.on("/apis", always(200, `{"kind":"APIGroupDiscoveryList"}`))
	a.on("*", http.NotFound) // as API servers answer for paths that they do not know
	client := newClient(t, a.config())
	for what, q := range absences() {
		if e := readAll(t.Context(), t, client, q); e == nil || e.Reason != cluster.NotFound || !strings.Contains(e.Message, "gizmos") {
			t.Errorf("%s: %+v", what, e)
		}
	}
	pod := cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "pods"}, Namespace: "ns", Name: "a"}
	if e := readAll(t.Context(), t, client, pod); e == nil || e.Reason != cluster.MalformedResponse {
		t.Errorf("a type that is served, without a Status: %+v", e)
	}
	a.on("*", func(w http.ResponseWriter, _ *http.Request) { status(w, 404, "it is not found") })
	if e := readAll(t.Context(), t, client, pod); e == nil || e.Reason != cluster.NotFound {
		t.Errorf("an object that a Status is about: %+v", e)
	}
}

func TestA404ThatDiscoveryCannotExplainIsTheFailureOfDiscovery(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "no") })
	a.on("*", http.NotFound)
	client := newClient(t, a.config())
	for what, q := range absences() {
		if e := readAll(t.Context(), t, client, q); e == nil || e.Reason != cluster.Forbidden {
			t.Errorf("%s: %+v", what, e)
		}
	}
}

func TestATypeThatIsGoneIsNotThereOnceItIsDiscoveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		gone, discoveries := false, 0
		client := newClient(t, pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.URL.Path == "/api":
				discoveries++
				if gone {
					answer(w, 200, `{"kind":"APIGroupDiscoveryList"}`)
					return
				}
				answer(w, 200, coreDiscovery)
			case r.URL.Path == "/apis":
				answer(w, 200, `{"kind":"APIGroupDiscoveryList"}`)
			case r.URL.Path == "/api/v1/pods" && !gone:
				answer(w, 200, "{}")
			default:
				http.NotFound(w, r)
			}
		})))
		pods := cluster.TypeName{Version: "v1", Name: "pods"}
		expect := func(q cluster.Query, want cluster.Reason, count int) {
			t.Helper()
			if got := reasonOf(readAll(t.Context(), t, client, q)); got != want || discoveries != count {
				t.Errorf("%q after %d discoveries, want %q after %d", got, discoveries, want, count)
			}
		}
		expect(cluster.Query{Type: pods}, "", 0)
		expect(cluster.Query{Type: cluster.TypeName{Name: "pods"}}, "", 1)
		mu.Lock()
		gone = true
		mu.Unlock()
		wait(9 * time.Second)
		expect(cluster.Query{Type: pods}, cluster.MalformedResponse, 1)
		wait(2 * time.Second)
		expect(cluster.Query{Type: pods}, cluster.NotFound, 2)
		expect(cluster.Query{Type: pods, Namespace: "ns", Name: "a"}, cluster.NotFound, 2)
		client.Close()
	})
}
