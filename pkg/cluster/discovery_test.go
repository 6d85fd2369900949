package cluster_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

const coreDiscovery = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[

{"resource":"pods","singularResource":"pod","shortNames":["po"],"scope":"Namespaced","responseKind":{"kind":"Pod"}},
{"resource":"nodes","singularResource":"node","shortNames":["no"],"scope":"Cluster","responseKind":{"kind":"Node"}},
{"resource":"events","singularResource":"event","shortNames":["ev"],"scope":"Namespaced","responseKind":{"kind":"Event"}}]}]}]}`

const groupDiscovery = `{"kind":"APIGroupDiscoveryList","items":[

{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[
{"resource":"deployments","singularResource":"deployment","shortNames":["deploy"],"scope":"Namespaced","responseKind":{"kind":"Deployment"}}]},
{"version":"v1beta1","resources":[{"resource":"deployments","singularResource":"deployment","scope":"Namespaced","responseKind":{"kind":"Deployment"}}]}]},
{"metadata":{"name":"events.k8s.io"},"versions":[{"version":"v1","resources":[
{"resource":"events","singularResource":"event","shortNames":["ev"],"scope":"Namespaced","responseKind":{"kind":"Event"}}]}]},
{"metadata":{"name":"example.com"},"versions":[{"version":"v1alpha1","resources":[
{"resource":"widgets","singularResource":"widget","shortNames":["wd","wdg"],"scope":"Namespaced","responseKind":{"kind":"Widget"}},
{"resource":"../../secrets","singularResource":"trap","scope":"Cluster","responseKind":{"kind":"Trap"}},
{"resource":"traps?x=1","singularResource":"trap","scope":"Cluster","responseKind":{"kind":"Trap"}}]},
{"version":"../v1","resources":[{"resource":"traps","singularResource":"trap","scope":"Cluster","responseKind":{"kind":"Trap"}}]}]},
{"metadata":{"name":"evil/group"},"versions":[{"version":"v1","resources":[{"resource":"traps","singularResource":"trap","scope":"Cluster","responseKind":{"kind":"Trap"}}]}]}]}`

// aggregated makes a server offer discovery in one document for each root, and any list.
func aggregated(a *api) {
	a.handlers["/api"] = always(200, coreDiscovery)
	a.handlers["/apis"] = always(200, groupDiscovery)
	a.handlers["*"] = lists
}

// lists serves lists of all types that discovery tells of, and nothing else.
func lists(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	clusterScoped := strings.HasSuffix(r.URL.Path, "/nodes") || strings.Contains(r.URL.Path, "/nodes/")
	if clusterScoped && slices.Contains(parts, "namespaces") {
		status(w, 404, "not found")
		return
	}
	for _, known := range []string{"pods", "nodes", "events", "deployments", "widgets"} {
		if slices.Contains(parts, known) {
			answer(w, 200, `{"kind":"List","items":[]}`)
			return
		}
	}
	status(w, 404, "not found")
}

// unaggregated makes a server offer discovery as before Kubernetes 1.26, with one group that does not answer.
func unaggregated(a *api) {
	a.handlers["/api"] = always(200, `{"kind":"APIVersions","versions":["v1"]}`)
	a.handlers["/apis"] = always(200, `{"kind":"APIGroupList","groups":[
{"name":"metrics.k8s.io","preferredVersion":{"version":"v1"},"versions":[{"version":"v1"}]},
{"name":"apps","preferredVersion":{"version":"v1"},"versions":[{"version":"v1beta1"},{"version":"v1"}]},
{"name":"events.k8s.io","preferredVersion":{"version":"v1"},"versions":[{"version":"v1"}]},
{"name":"example.com","preferredVersion":{"version":"v1alpha1"},"versions":[{"version":"v1alpha1"},{"version":"../v1"}]}]}`)
	a.handlers["/api/v1"] = always(200, `{"kind":"APIResourceList","resources":[
{"name":"pods","singularName":"pod","shortNames":["po"],"namespaced":true,"kind":"Pod"},
{"name":"pods/log","singularName":"","namespaced":true,"kind":"Pod"},
{"name":"nodes","singularName":"node","shortNames":["no"],"namespaced":false,"kind":"Node"},
{"name":"events","singularName":"event","shortNames":["ev"],"namespaced":true,"kind":"Event"}]}`)
	a.handlers["/apis/metrics.k8s.io/v1"] = always(503, "no endpoints")
	deployments := always(200, `{"resources":[{"name":"deployments","singularName":"deployment","shortNames":["deploy"],"namespaced":true,"kind":"Deployment"}]}`)
	a.handlers["/apis/apps/v1"], a.handlers["/apis/apps/v1beta1"] = deployments, deployments
	a.handlers["/apis/events.k8s.io/v1"] = always(200, `{"resources":[{"name":"events","singularName":"event","shortNames":["ev"],"namespaced":true,"kind":"Event"}]}`)
	a.handlers["/apis/example.com/v1alpha1"] = always(200, `{"resources":[
{"name":"widgets","singularName":"widget","shortNames":["wd","wdg"],"namespaced":true,"kind":"Widget"}]}`)
	a.handlers["*"] = lists
}

func TestNamesOfTypesAreResolvedAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for name, style := range map[string]func(*api){"aggregated": aggregated, "unaggregated": unaggregated} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, style)
			client := newClient(t, a.config())
			for written, want := range map[cluster.TypeName]string{
				{Name: "po"}:                             "/api/v1/namespaces/ns/pods",
				{Name: "Pod"}:                            "/api/v1/namespaces/ns/pods",
				{Name: "pod"}:                            "/api/v1/namespaces/ns/pods",
				{Name: "pods"}:                           "/api/v1/namespaces/ns/pods",
				{Name: "no"}:                             "/api/v1/nodes",
				{Name: "ev"}:                             "/api/v1/namespaces/ns/events",
				{Name: "events", Group: "events.k8s.io"}: "/apis/events.k8s.io/v1/namespaces/ns/events",
				{Name: "deploy"}:                         "/apis/apps/v1/namespaces/ns/deployments",
				{Name: "deployment", Group: "apps"}:      "/apis/apps/v1/namespaces/ns/deployments",
				{Name: "wdg"}:                            "/apis/example.com/v1alpha1/namespaces/ns/widgets",
				{Name: "Widget"}:                         "/apis/example.com/v1alpha1/namespaces/ns/widgets",
			} {
				if e := readAll(t.Context(), t, client, cluster.Query{Type: written, Namespace: "ns"}); e != nil {
					t.Errorf("%s: %v", written, e)
				}
				seen := a.seen()
				if got, _, _ := strings.Cut(seen[len(seen)-1], "?"); got != "GET "+want {
					t.Errorf("%s was read from %s, want %s", written, got, want)
				}
			}
			for _, unknown := range []cluster.TypeName{{Name: "trap"}, {Name: "traps"}, {Name: "nothing"}, {Name: "pods", Group: "apps"}, {Name: "log"}} {
				if e := readAll(t.Context(), t, client, cluster.Query{Type: unknown}); e == nil || e.Reason != cluster.NotFound {
					t.Errorf("%s: %+v", unknown, e)
				}
			}
			discoveries := map[string]int{}
			for _, request := range a.seen() {
				if request == "GET /api" || request == "GET /apis" {
					discoveries[request]++
				}
			}
			if diff := cmp.Diff(map[string]int{"GET /api": 1, "GET /apis": 1}, discoveries); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMetadataComesWithItsKindAlsoWhereTheVersionIsGiven(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		style func(*api)
		kind  string
	}{
		"aggregated":           {aggregated, "Deployment"},
		"unaggregated":         {unaggregated, "Deployment"},
		"discovery is refused": {func(a *api) { a.handlers["*"] = lists }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, test.style)
			client := newClient(t, a.config())
			q := cluster.Query{Type: cluster.TypeName{Group: "apps", Version: "v1", Name: "deployments"}, Namespace: "ns", Format: cluster.MetadataFormat}
			for _, token := range []string{"", "next"} {
				body, err := client.Read(t.Context(), q, token)
				must(err)
				if got := body.Resource.Kind; got != test.kind {
					t.Errorf("page %q: the kind is %q, want %q", token, got, test.kind)
				}
				_ = body.Close()
			}
			discoveries := 0
			for _, request := range a.seen() {
				if request == "GET /api" {
					discoveries++
				}
			}
			if discoveries != 1 {
				t.Errorf("discovered %d times", discoveries)
			}
		})
	}
}

func TestAVersionThatIsGivenNeedsNoDiscovery(t *testing.T) {
	t.Parallel()
	a := newAPI(t, aggregated)
	client := newClient(t, a.config())
	for _, c := range []struct {
		q    cluster.Query
		want []string
	}{
		{cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "pods"}}, []string{"/api/v1/pods"}},
		{cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "nodes"}, Name: "n1"}, []string{"/api/v1/nodes/n1"}},
		{
			cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "nodes"}, Namespace: "ns"},
			[]string{"/api/v1/namespaces/ns/nodes", "/api", "/apis", "/api/v1/nodes"},
		},
		{
			cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "Pod"}, Namespace: "ns", Name: "p"},
			[]string{"/api/v1/namespaces/ns/Pod/p", "/api/v1/namespaces/ns/pods/p"},
		},
	} {
		before := len(a.seen())
		if e := readAll(t.Context(), t, client, c.q); e != nil {
			t.Errorf("%+v: %v", c.q, e)
		}
		var got []string
		for _, request := range a.seen()[before:] {
			path, _, _ := strings.Cut(strings.TrimPrefix(request, "GET "), "?")
			got = append(got, path)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
	e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Name: "pods"}, Name: "p"})
	if e == nil || e.Reason != cluster.InvalidRequest {
		t.Errorf("a name without a namespace: %+v", e)
	}
}

func TestDiscoveryThatFailsIsNotKept(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]http.HandlerFunc{
		"trailing data": always(200, coreDiscovery+"{}"), "another kind": always(200, `{"kind":"Pod"}`),
		"cut": always(200, coreDiscovery[:100]), "error": always(500, ""), "no right": always(403, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, aggregated)
			a.on("/api", broken)
			client := newClient(t, a.config())
			q := cluster.Query{Type: cluster.TypeName{Name: "po"}}
			if e := readAll(t.Context(), t, client, q); e == nil || e.Reason == cluster.NotFound {
				t.Errorf("%+v", e)
			}
			a.on("/api", always(200, coreDiscovery))
			if e := readAll(t.Context(), t, client, q); e != nil {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestDiscoveryIsSharedAndKeepsItsConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t, aggregated)
	client := newClient(t, a.config())
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Name: "po"}}); e != nil {
				t.Error(e)
			}
		})
	}
	group.Wait()
	n := 0
	for _, request := range a.seen() {
		if request == "GET /apis" {
			n++
		}
	}
	if n != 1 || a.conns.Load() > 2 {
		t.Errorf("%d discoveries on %d connections", n, a.conns.Load())
	}
}

func TestLimitsInTime(t *testing.T) {
	for name, c := range map[string]struct {
		call  func(*testing.T, *cluster.Client)
		burst int
		rate  float64
	}{
		"probes": {func(t *testing.T, c *cluster.Client) {
			t.Helper()
			_, err := c.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
			must(err)
		}, 30, 20},
		"reads": {func(t *testing.T, c *cluster.Client) { t.Helper(); _ = readAll(t.Context(), t, c, pods) }, 100, 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				code := http.StatusOK
				var mu sync.Mutex
				client := newClient(t, pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					w.WriteHeader(code)
					_, _ = io.WriteString(w, "ok")
				})))
				timed := func(n int) float64 {
					start := time.Now()
					for range n {
						c.call(t, client)
					}
					return time.Since(start).Seconds()
				}
				set := func(to int) { mu.Lock(); code = to; mu.Unlock() }
				near := func(what string, got, want float64) {
					t.Helper()
					if got < want*0.95-0.01 || got > want*1.05+0.1 {
						t.Errorf("%s took %.2f s, want %.2f s", what, got, want)
					}
				}
				near("a burst", timed(c.burst), 0)
				near("the rate", timed(100), 100/c.rate)
				wait(time.Minute)
				set(429)
				timed(10)
				set(200)
				near("the next call to a throttling server", timed(1), 1)
				timed(40)
				wait(time.Minute)
				near("a burst after recovery", timed(c.burst), 0)
				set(503)
				timed(1)
				set(200)
				near("a throttled burst", min(timed(3), 1), min(2/(c.rate/2), 1))
				client.Close()
			})
		})
	}
}

func TestQueriesThatWouldChangeAPathAreRefused(t *testing.T) {
	t.Parallel()
	hostile := []string{
		"../x", "..", ".", "a/b", "a%2fb", "a%", "a?b", "a#b", `a\b`, "a b", "a\x00b", "a\nb", "a\r\nHost: x", "\xff", "a\u202eb",
		"a;b", "..;", strings.Repeat("a", 254), "\u00a0", "a\u2028",
	}
	a := newAPI(t)
	client := newClient(t, a.config())
	good := cluster.Query{Type: cluster.TypeName{Group: "apps", Version: "v1", Name: "deployments"}, Namespace: "ns", Name: "n"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := map[string]cluster.Query{}
	for _, h := range hostile {
		for field, set := range map[string]func(*cluster.Query){
			"group":     func(q *cluster.Query) { q.Type.Group = h },
			"version":   func(q *cluster.Query) { q.Type.Version = h },
			"resource":  func(q *cluster.Query) { q.Type.Name = h },
			"namespace": func(q *cluster.Query) { q.Namespace = h },
			"name":      func(q *cluster.Query) { q.Name = h },
		} {
			q := good
			set(&q)
			bad[fmt.Sprintf("%s %q", field, h)] = q
		}
	}
	bad["no resource"] = cluster.Query{}
	bad["label selector"] = cluster.Query{Type: pods.Type, LabelSelector: "a in ("}
	bad["field selector"] = cluster.Query{Type: pods.Type, FieldSelector: "a"}
	bad["name and selector"] = cluster.Query{Type: pods.Type, Name: "x", LabelSelector: "a=b"}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		q := bad[name]
		if q.Validate() == nil {
			t.Errorf("%s is valid", name)
		}
		e := readAll(t.Context(), t, client, q)
		if e == nil || e.Reason != cluster.InvalidRequest {
			t.Errorf("%s: %+v", name, e)
			continue
		}
		checkSafe(t, e.Message)
	}
	if n := a.conns.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	for _, name := range []string{"system:node:x", "a.b-c", "UPPER", "über", "a..b", "@x", "a,b", "a=b"} {
		q := good
		q.Name = name
		if err := q.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestTypeNamesPrintAsKubectlTakesThem(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]cluster.TypeName{
		"pods": {Name: "pods"}, "pods.v1": {Name: "pods", Version: "v1"}, "deployments.apps": {Name: "deployments", Group: "apps"},
		"deployments.v1.apps": {Name: "deployments", Version: "v1", Group: "apps"},
	} {
		if n.String() != want {
			t.Errorf("%q, want %q", n, want)
		}
	}
}
