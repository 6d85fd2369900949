package cluster_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// named returns the types by plural, version and group, and what is broken.
func named(t *testing.T, client *cluster.Client) (served, broken []string) {
	t.Helper()
	types, err := client.Types(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, handle := range types.Served {
		s := handle.Value()
		text := cluster.TypeName{Group: s.Group, Version: s.Version, Name: s.Plural}.String()
		served = append(served, fmt.Sprintf("%s %s %s %s %v", text, s.Kind, s.Singular, s.ShortNames, s.Namespaced))
	}
	for _, b := range types.Broken {
		checkSafe(t, b.Message)
		if b.Message == "" || len(b.Message) > 256 {
			t.Errorf("%s is broken because of %q", b.Group, b.Message)
		}
		broken = append(broken, b.Group+"/"+b.Version)
	}
	return served, broken
}

const staleDiscovery = `{"kind":"APIGroupDiscoveryList","items":[
{"metadata":{"name":"apps"},"versions":[
{"version":"v1","freshness":"Current","resources":[{"resource":"deployments","scope":"Namespaced","responseKind":{"kind":"Deployment"}}]},
{"version":"v1beta1","freshness":"Stale","resources":[{"resource":"deployments","scope":"Namespaced","responseKind":{"kind":"Deployment"}}]}]},
{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","resources":[],"freshness":"Stale"}]},
{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]},
{"metadata":{"name":"evil/group"},"versions":[{"version":"v1","freshness":"Stale"}]}]}`

func TestTypesTellWhatIsServedAndWhatIsBroken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, coreDiscovery))
	a.on("/apis", always(200, staleDiscovery))
	served, broken := named(t, newClient(t, a.config()))
	want := []string{
		"pods.v1 Pod pod po true", "nodes.v1 Node node no false", "events.v1 Event event ev true",
		"deployments.v1.apps Deployment   true", "deployments.v1beta1.apps Deployment   true",
	}
	if diff := cmp.Diff(want, served); diff != "" {
		t.Errorf("served: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"apps/v1beta1", "metrics.k8s.io/v1beta1"}, broken); diff != "" {
		t.Errorf("broken: -want +got:\n%s", diff)
	}
}

func TestOldServersHaveBrokenGroupsToo(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, `{"kind":"APIVersions","versions":["v1"]}`))
	a.on("/api/v1", always(200, `{"kind":"APIResourceList","resources":[{"name":"pods","singularName":"","namespaced":true,"kind":"Pod","shortNames":["po"]}]}`))
	a.on("/apis", always(200, `{"kind":"APIGroupList","groups":[
{"name":"metrics.k8s.io","versions":[{"version":"v1beta1"}],"preferredVersion":{"version":"v1beta1"}},
{"name":"batch","versions":[{"version":"v1"},{"version":"v1beta1"}],"preferredVersion":{"version":"v1"}}]}`))
	a.on("/apis/metrics.k8s.io/v1beta1", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("service unavailable\x1b[31m", 100), http.StatusServiceUnavailable)
	})
	a.on("/apis/batch/v1", always(200, `{"kind":"APIResourceList","resources":[{"name":"cronjobs","kind":"CronJob","namespaced":true}]}`))
	a.on("/apis/batch/v1beta1", always(200, `{"kind":"APIResourceList","resources":[{"name":"cronjobs","kind":"CronJob","namespaced":true}]}`))
	served, broken := named(t, newClient(t, a.config()))
	want := []string{"pods.v1 Pod  po true", "cronjobs.v1.batch CronJob   true", "cronjobs.v1beta1.batch CronJob   true"}
	if diff := cmp.Diff(want, served); diff != "" {
		t.Errorf("served: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"metrics.k8s.io/v1beta1"}, broken); diff != "" {
		t.Errorf("broken: -want +got:\n%s", diff)
	}
}

// oldServer is one before Kubernetes 1.26, with a group of an APIService between two of its own; broken are paths that it
// answers otherwise.
func oldServer(broken map[string]http.HandlerFunc) http.Handler {
	paths := map[string]http.HandlerFunc{
		"/api":    always(200, `{"kind":"APIVersions","versions":["v1"]}`),
		"/api/v1": always(200, `{"resources":[{"name":"pods","kind":"Pod","namespaced":true}]}`),
		"/apis": always(200, `{"kind":"APIGroupList","groups":[
{"name":"apps","versions":[{"version":"v1"}]},{"name":"metrics.k8s.io","versions":[{"version":"v1beta1"}]},{"name":"batch","versions":[{"version":"v1"}]}]}`),
		"/apis/apps/v1":                always(200, `{"resources":[{"name":"deployments","kind":"Deployment","namespaced":true}]}`),
		"/apis/batch/v1":               always(200, `{"resources":[{"name":"jobs","kind":"Job","namespaced":true}]}`),
		"/apis/metrics.k8s.io/v1beta1": always(200, `{"resources":[{"name":"nodes","kind":"NodeMetrics"}]}`),
	}
	maps.Copy(paths, broken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { paths[r.URL.Path](w, r) })
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func hangsInTheMiddle(w http.ResponseWriter, r *http.Request) {
	answer(w, 200, `{"resources":[{"name":"nodes","kind":"NodeMetrics"},`)
	must(http.NewResponseController(w).Flush())
	<-r.Context().Done()
}

func throttles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "50")
	status(w, http.StatusTooManyRequests, "slow down")
}

func TestAGroupThatHangsOrThrottlesIsBrokenAndLeavesTheOthers(t *testing.T) {
	for name, broken := range map[string]struct {
		group http.HandlerFunc
		most  time.Duration
		says  string
	}{
		"hangs":               {hangs, 3 * time.Second, "did not answer in time"},
		"hangs in the middle": {hangsInTheMiddle, 3 * time.Second, "did not end in time"},
		"throttles":           {throttles, time.Second, "slow down"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, pipeServer(t, oldServer(map[string]http.HandlerFunc{"/apis/metrics.k8s.io/v1beta1": broken.group})))
				start := time.Now()
				served, groups := named(t, client)
				if took := time.Since(start); took > broken.most+100*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				if diff := cmp.Diff([]string{"pods.v1 Pod   true", "deployments.v1.apps Deployment   true", "jobs.v1.batch Job   true"}, served); diff != "" {
					t.Errorf("served: -want +got:\n%s", diff)
				}
				if diff := cmp.Diff([]string{"metrics.k8s.io/v1beta1"}, groups); diff != "" {
					t.Errorf("broken: -want +got:\n%s", diff)
				}
				e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Group: "metrics.k8s.io", Name: "nodes"}})
				if e == nil || e.Reason != cluster.ServerError || !strings.Contains(e.Message, broken.says) {
					t.Errorf("got %+v", e)
				}
				client.Close()
			})
		})
	}
}

func TestAServerThatHangsOrThrottlesItselfFailsAsAWhole(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		answer http.HandlerFunc
		want   cluster.Reason
	}{
		"the core group hangs":      {"/api/v1", hangs, cluster.ResponseTimeout},
		"the core group throttles":  {"/api/v1", throttles, cluster.Throttled},
		"the list of groups hangs":  {"/apis", hangs, cluster.ResponseTimeout},
		"the credential is no more": {"/apis/metrics.k8s.io/v1beta1", always(401, ""), cluster.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, pipeServer(t, oldServer(map[string]http.HandlerFunc{c.path: c.answer})))
				types, err := client.Types(t.Context())
				if e, ok := err.(*cluster.Error); !ok || e.Reason != c.want { //nolint:errorlint // as documented
					t.Errorf("got %v, %v", types, err)
				}
				client.Close()
			})
		})
	}
}

func TestACallersTimeThatRunsOutBreaksNoGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, pipeServer(t, oldServer(map[string]http.HandlerFunc{"/apis/metrics.k8s.io/v1beta1": hangs})))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		types, err := client.Types(ctx)
		if e, ok := err.(*cluster.Error); !ok || e.Reason != cluster.ResponseTimeout { //nolint:errorlint // as documented
			t.Errorf("got %v, %v", types, err)
		}
		client.Close()
	})
}

func TestABrokenGroupIsStillResolvedWhereItsTypesAreKnown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, coreDiscovery))
	a.on("/apis", always(200, strings.Replace(staleDiscovery, `"resources":[]`, `"resources":[{"resource":"nodes","scope":"Cluster","responseKind":{"kind":"NodeMetrics"}}]`, 1)))
	a.on("/apis/metrics.k8s.io/v1beta1/nodes", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
	})
	client := newClient(t, a.config())
	e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Group: "metrics.k8s.io", Name: "nodes"}})
	if e == nil || e.Reason != cluster.ServerError || e.StatusCode != 503 {
		t.Errorf("got %+v", e)
	}
}

func TestATypeOfABrokenGroupIsNotSimplyMissing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, coreDiscovery))
	a.on("/apis", always(200, staleDiscovery))
	client := newClient(t, a.config())
	for _, c := range []struct {
		name cluster.TypeName
		want cluster.Reason
	}{
		{cluster.TypeName{Group: "metrics.k8s.io", Name: "nodes"}, cluster.ServerError},
		{cluster.TypeName{Group: "apps", Name: "gizmos"}, cluster.ServerError},
		{cluster.TypeName{Name: "nodemetrics"}, cluster.NotFound},
		{cluster.TypeName{Group: "example.com", Name: "gizmos"}, cluster.NotFound},
	} {
		e := readAll(t.Context(), t, client, cluster.Query{Type: c.name})
		if e == nil || e.Reason != c.want || e.Reason == cluster.ServerError && !strings.Contains(e.Message, "cannot serve it") {
			t.Errorf("%v: got %+v", c.name, e)
		}
	}
}

func TestWhatIsBrokenIsBounded(t *testing.T) {
	t.Parallel()
	var groups []string
	for i := range 500 {
		groups = append(groups, fmt.Sprintf(`{"metadata":{"name":"g%d.example.com"},"versions":[{"version":"v1","freshness":"Stale"}]}`, i))
	}
	a := newAPI(t)
	a.on("/api", always(200, coreDiscovery))
	a.on("/apis", always(200, `{"kind":"APIGroupDiscoveryList","items":[`+strings.Join(groups, ",")+`]}`))
	if _, broken := named(t, newClient(t, a.config())); len(broken) != 64 {
		t.Errorf("%d are broken", len(broken))
	}
}

func TestTypesAreDiscoveredOnceInTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		discoveries := 0
		client := newClient(t, pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.Path == "/api" {
				discoveries++
				answer(w, 200, coreDiscovery)
				return
			}
			answer(w, 200, groupDiscovery)
		})))
		expect := func(want int) {
			t.Helper()
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() {
					if types, err := client.Types(t.Context()); err != nil || len(types.Served) < 5 {
						t.Errorf("%v, %v", types, err)
					}
				})
			}
			group.Wait()
			if discoveries != want {
				t.Errorf("%d discoveries, want %d", discoveries, want)
			}
		}
		expect(1)
		wait(10*time.Minute - time.Second)
		expect(1)
		wait(2 * time.Second)
		expect(2)
	})
}

func TestHostileNamesOfTypesAreLeftOut(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, `{"kind":"APIGroupDiscoveryList"}`))
	a.on("/apis", always(200, `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"example.com"},"versions":[{"version":"v1","resources":[
{"resource":"gizmos","singularResource":"../x","shortNames":["gz","\u001b[31m","a b","zz"],"scope":"Cluster","responseKind":{"kind":"Gizmo"}},
{"resource":"widgets","singularResource":"widget`+"\xff"+`","shortNames":["w`+"\xff"+`"],"scope":"Cluster","responseKind":{"kind":"Widget"}}]}]}]}`))
	served, _ := named(t, newClient(t, a.config()))
	if diff := cmp.Diff([]string{"gizmos.v1.example.com Gizmo  gz,zz false", "widgets.v1.example.com Widget   false"}, served); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClustersThatServeTheSameShareIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", always(200, coreDiscovery))
	a.on("/apis", always(200, groupDiscovery))
	one, err := newClient(t, a.config()).Types(t.Context())
	must(err)
	two, err := newClient(t, a.config()).Types(t.Context())
	must(err)
	for i := range one.Served {
		if one.Served[i] != two.Served[i] {
			t.Errorf("%v and %v are held twice", one.Served[i].Value(), two.Served[i].Value())
		}
	}
}

func TestWithoutDiscoveryThereAreNoTypes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/api", func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "no") })
	_, err := newClient(t, a.config()).Types(t.Context())
	if e, ok := err.(*cluster.Error); !ok || e.Reason != cluster.Forbidden { //nolint:errorlint // as documented
		t.Errorf("got %v", err)
	}
}
