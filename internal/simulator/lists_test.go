package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// objectList is any list, as much as these tests want of it.
type objectList struct {
	metav1.TypeMeta
	Metadata metav1.ListMeta
	Items    []struct {
		metav1.TypeMeta
		Metadata metav1.ObjectMeta
	}
}

func (l objectList) keys() []string {
	keys := []string{}
	for _, i := range l.Items {
		keys = append(keys, i.Metadata.Namespace+"/"+i.Metadata.Name)
	}
	return keys
}

func (c *client) list(path string) objectList {
	c.t.Helper()
	answer := c.get(path)
	wantStatus(c.t, answer, 200)
	var list objectList
	answer.decode(c.t, &list)
	return list
}

// walk reads all pages.
func (c *client) walk(path string, limit int) []string {
	c.t.Helper()
	keys, next := []string{}, ""
	for {
		page := c.list(fmt.Sprintf("%s?limit=%d&continue=%s", path, limit, url.QueryEscape(next)))
		if len(page.Items) > limit {
			c.t.Fatalf("%d items in a page of %d", len(page.Items), limit)
		}
		keys = append(keys, page.keys()...)
		if next = page.Metadata.Continue; next == "" {
			return keys
		}
	}
}

func TestAListFromTheCacheIsOnePage(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1, Counts: map[string]int{"pods": 83}}), "sim-0001")
	if page := c.list("/api/v1/pods?limit=10&resourceVersion=0"); len(page.Items) != 83 || page.Metadata.Continue != "" {
		t.Errorf("%d items, the next page is %q", len(page.Items), page.Metadata.Continue)
	}
}

func TestPagesHoldEveryItemExactlyOnce(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1, Counts: map[string]int{"pods": 83, "widgets": 10}}), "sim-0001")
	for _, path := range []string{
		"/api/v1/pods", "/api/v1/namespaces/shop/pods", "/apis/example.com/v1/widgets", "/api/v1/namespaces",
		"/api/v1/namespaces/nowhere/pods",
	} {
		all := c.list(path).keys()
		distinct := map[string]bool{}
		for _, key := range all {
			distinct[key] = true
		}
		if len(distinct) != len(all) {
			t.Errorf("%s: %d items, %d of them distinct", path, len(all), len(distinct))
		}
		for _, limit := range []int{1, 7, 50, 500} {
			if diff := cmp.Diff(all, c.walk(path, limit)); diff != "" {
				t.Errorf("%s in pages of %d (-all +pages):\n%s", path, limit, diff)
			}
		}
	}
	if n := len(c.list("/api/v1/pods").Items); n != 83 {
		t.Errorf("%d pods, want 83", n)
	}
	if n := len(c.list("/api/v1/namespaces/shop/pods").Items); n < 10 || n > 20 {
		t.Errorf("%d of 83 pods in one of five namespaces", n)
	}
}

func TestFirstPageTellsWhatRemains(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	page := c.list("/api/v1/pods?limit=20")
	if page.Metadata.RemainingItemCount == nil || *page.Metadata.RemainingItemCount != 30 {
		t.Errorf("remainingItemCount %v, want 30", page.Metadata.RemainingItemCount)
	}
	if page.Metadata.ResourceVersion == "" {
		t.Error("no resourceVersion")
	}
	if chosen := c.list("/api/v1/pods?limit=2&labelSelector=app%3Dweb"); chosen.Metadata.RemainingItemCount != nil {
		t.Error("remainingItemCount is told although a selector is used")
	}
}

func TestListsAreWrittenInTheOrderOfRealServers(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	typed := c.get("/api/v1/pods?limit=5").body
	if !strings.HasPrefix(typed, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"`) {
		t.Errorf("a typed list begins with %s", head(typed))
	}
	if !strings.Contains(typed, `"items":[{"metadata":{"name":`) {
		t.Errorf("an item of a typed list has a kind: %s", head(typed))
	}
	custom := c.get("/apis/example.com/v1/widgets?limit=2").body
	if !strings.HasPrefix(custom, `{"apiVersion":"example.com/v1","items":[{"apiVersion":"example.com/v1","kind":"Widget",`) ||
		!strings.Contains(custom, `],"kind":"WidgetList","metadata":{"resourceVersion":`) {
		t.Errorf("a list of custom resources: %s", custom)
	}
}

func TestSelectorsChoose(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	all := c.list("/api/v1/pods")
	for _, text := range []string{"app=web", "app in (web,api),tier!=backend", "!app", "tier"} {
		selector, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{}
		for _, item := range all.Items {
			if selector.Matches(labels.Set(item.Metadata.Labels)) {
				want = append(want, item.Metadata.Namespace+"/"+item.Metadata.Name)
			}
		}
		path := "/api/v1/pods?labelSelector=" + url.QueryEscape(text)
		if diff := cmp.Diff(want, c.list(path).keys()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if diff := cmp.Diff(want, c.walkSelected(path, 3)); diff != "" {
			t.Errorf("%s in pages (-want +got):\n%s", text, diff)
		}
	}
	some := all.Items[17].Metadata
	for _, field := range []string{
		"metadata.name=" + some.Name, "metadata.name=" + some.Name + ",metadata.namespace=" + some.Namespace,
	} {
		path := "/api/v1/pods?fieldSelector=" + url.QueryEscape(field)
		if diff := cmp.Diff([]string{some.Namespace + "/" + some.Name}, c.list(path).keys()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
}

func (c *client) walkSelected(path string, limit int) []string {
	keys, next := []string{}, ""
	for {
		page := c.list(fmt.Sprintf("%s&limit=%d&continue=%s", path, limit, url.QueryEscape(next)))
		keys = append(keys, page.keys()...)
		if next = page.Metadata.Continue; next == "" {
			return keys
		}
	}
}

func TestGetFindsWhatListsHold(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	for _, resource := range []string{
		"/api/v1/%spods", "/api/v1/%sconfigmaps", "/api/v1/%ssecrets", "/api/v1/%sservices", "/apis/apps/v1/%sdeployments",
		"/apis/apps/v1/%sstatefulsets", "/apis/apps/v1/%sreplicasets", "/apis/example.com/v1/%swidgets",
		"/api/v1/%snodes", "/api/v1/%snamespaces",
	} {
		list := c.list(fmt.Sprintf(resource, ""))
		if len(list.Items) == 0 {
			t.Errorf("%s: nothing there", resource)
			continue
		}
		some := list.Items[len(list.Items)/2].Metadata
		scope := ""
		if some.Namespace != "" {
			scope = "namespaces/" + some.Namespace + "/"
		}
		answer := c.get(fmt.Sprintf(resource, scope) + "/" + some.Name)
		wantStatus(t, answer, 200, `"kind":"`+strings.TrimSuffix(list.Kind, "List")+`"`, `"apiVersion":"`+list.APIVersion+`"`)
		var object struct{ Metadata metav1.ObjectMeta }
		answer.decode(t, &object)
		if diff := cmp.Diff(some, object.Metadata); diff != "" {
			t.Errorf("%s: in the list and alone (-list +get):\n%s", resource, diff)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	answer := c.get("/apis/apps/v1/namespaces/shop/deployments/none")
	wantStatus(t, answer, 404, `deployments.apps \"none\" not found`)
	var status metav1.Status
	answer.decode(t, &status)
	want := metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   "Failure", Reason: metav1.StatusReasonNotFound, Code: 404,
		Message: `deployments.apps "none" not found`,
		Details: &metav1.StatusDetails{Name: "none", Group: "apps", Kind: "deployments"},
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	for _, path := range []string{
		"/", "/api/v2", "/apis/none.example.com", "/api/v1/gadgets", "/api/v1/namespaces/shop/nodes", "/api/v1/pods/name",
		"/api/v1/namespaces/shop/pods/x/log", "/openapi/v3",
	} {
		wantStatus(t, c.get(path), 404, "404 page not found")
	}
}

func TestNonsenseIsABadRequest(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	for query, say := range map[string]string{
		"limit=x":                       "no number of items",
		"limit=-1":                      "no number of items",
		"continue=nonsense":             "continue key is not valid",
		"labelSelector=a%3D%3D%3Db":     "unable to parse requirement",
		"fieldSelector=status.phase%3D": "field label not supported: status.phase",
	} {
		wantStatus(t, c.get("/api/v1/pods?"+query), 400, say, `"reason":"BadRequest"`)
	}
	wantStatus(t, c.get("/api/v1/pods?watch=true"), 405)
	wantStatus(t, c.post("/api/v1/namespaces/shop/pods", map[string]any{}), 405)
	wantStatus(t, c.getAs("/api/v1/pods", map[string]string{"Accept": "application/vnd.kubernetes.protobuf"}), 406)
}

func TestObjectsAreAsLargeAsAskedFor(t *testing.T) {
	const size = 10_000
	c := newClient(t, start(t, simulator.Config{Clusters: 1, ObjectBytes: size}), "sim-0001")
	for _, path := range []string{
		"/api/v1/pods", "/api/v1/configmaps", "/api/v1/secrets", "/api/v1/nodes", "/api/v1/services",
		"/apis/apps/v1/deployments", "/apis/example.com/v1/widgets", "/api/v1/namespaces",
	} {
		var list struct{ Items []json.RawMessage }
		c.get(path).decode(t, &list)
		for i, item := range list.Items {
			if len(item) < size || len(item) > size+300 {
				t.Errorf("%s: item %d has %d bytes, want %d", path, i, len(item), size)
				break
			}
		}
	}
}

func TestObjectsAreOfTheTypesTheyClaimToBe(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	var pods corev1.PodList
	c.get("/api/v1/pods").decode(t, &pods)
	if p := pods.Items[0]; len(p.Spec.Containers) != 1 || p.Status.Phase != corev1.PodRunning || len(p.ManagedFields) == 0 {
		t.Errorf("no pod: %+v", p)
	}
	var secrets corev1.SecretList
	c.get("/api/v1/secrets").decode(t, &secrets)
	if s := secrets.Items[0]; len(s.Data) == 0 || s.Annotations[corev1.LastAppliedConfigAnnotation] == "" {
		t.Errorf("no secret: %+v", s)
	}
	var deployments appsv1.DeploymentList
	c.get("/apis/apps/v1/deployments").decode(t, &deployments)
	hibernated := 0
	for _, d := range deployments.Items {
		if *d.Spec.Replicas == 0 && d.Annotations["hibernator.devtron.ai/replicas"] == "3" {
			hibernated++
		}
	}
	if hibernated != 1 {
		t.Errorf("%d of %d deployments are hibernated, want 1", hibernated, len(deployments.Items))
	}
}
