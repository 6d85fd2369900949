package cluster

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

// FuzzQuery: whatever a caller asks for, the request goes to the path that is meant, segment by segment, and has no
// parameter more than is meant; both as our own connection writes it and as net/http does.
func FuzzQuery(f *testing.F) {
	for _, q := range []Query{
		{Type: TypeName{Version: "v1", Name: "pods"}, Namespace: "kube-system", Name: "etcd-0"},
		{Type: TypeName{"apps", "v1", "deployments"}, LabelSelector: "app in (a,b),!c", FieldSelector: "metadata.name!=x", Limit: 7},
		{Type: TypeName{"rbac.authorization.k8s.io", "v1", "ClusterRoles"}, Name: "system:node:a@b!$&'()*+,=~"},
		{Type: TypeName{"a.b", "v1alpha1", "x"}, Namespace: "..", Name: "../../secrets"},
		{Type: TypeName{"..", "v1", "pods"}, Name: "."},
		{Type: TypeName{"a/b", "v1", "pods?x=1"}, Name: "a%2fb"},
		{Type: TypeName{"a", "v1", "pods"}, Name: "ünï"},
		{Type: TypeName{"a", "v1", "pods"}, Name: "a;b"},
		{Type: TypeName{"a", "v1", "pods"}, Name: "a\r\nHost: b"},
	} {
		for _, base := range []string{"", "/k8s/clusters/c-1", "/a%2Fb/", "/%2F", "//a/../b//?x=y#z"} {
			f.Add(base, q.Type.Group, q.Type.Version, q.Type.Name, q.Namespace, q.Name, q.LabelSelector, q.FieldSelector, "tok=en&limit=1#", q.Limit, q.Name == "")
		}
	}
	f.Fuzz(func(t *testing.T, below, group, version, name, namespace, object, labelSelector, fieldSelector, token string, limit int, stale bool) {
		config := &rest.Config{Host: "https://server:6443" + below}
		base, err := serverURL(config)
		q := Query{
			Type: TypeName{group, version, name}, Namespace: namespace, Name: object, LabelSelector: labelSelector, FieldSelector: fieldSelector,
			Limit: limit, AllowStale: stale,
		}
		if err != nil || base.Host != "server:6443" || version == "" || q.Validate() != nil {
			return
		}
		requests, err := newRequests(config, base, "x")
		if err != nil {
			t.Fatal(err)
		}
		for _, namespaced := range []bool{false, true} {
			r := Resource{Group: group, Version: version, Plural: name, Namespaced: namespaced}
			req := requests.read(t.Context(), fetching, r.path(namespace, object), q.parameters(token), FullFormat.accept(object == ""))
			for _, sent := range [][]byte{ours(t, req), theirs(t, req)} {
				got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent)))
				if err != nil {
					t.Fatalf("%q: %v", sent, err)
				}
				requireMeant(t, base, r, q, token, got)
			}
		}
	})
}

func ours(t *testing.T, req *http.Request) []byte {
	t.Helper()
	sent, err := appendRequest(nil, req)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func theirs(t *testing.T, req *http.Request) []byte {
	t.Helper()
	var sent bytes.Buffer
	if err := req.Write(&sent); err != nil {
		t.Fatal(err)
	}
	return sent.Bytes()
}

// requireMeant holds what a server receives against the query.
func requireMeant(t *testing.T, base *url.URL, r Resource, q Query, token string, got *http.Request) {
	t.Helper()
	want := []string{"api", r.Version}
	if r.Group != "" {
		want = []string{"apis", r.Group, r.Version}
	}
	if r.Namespaced && q.Namespace != "" {
		want = append(want, "namespaces", q.Namespace)
	}
	want = append(want, r.Plural)
	if q.Name != "" {
		want = append(want, q.Name)
	}
	below, found := strings.CutPrefix(got.URL.EscapedPath(), base.EscapedPath()+"/")
	segments := strings.Split(below, "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil || strings.ContainsAny(plain, `/\;%?#`) || plain == "." || plain == ".." || plain == "" {
			t.Errorf("a proxy may read %q as another path", got.URL.EscapedPath())
		}
		segments[i] = plain
	}
	if diff := cmp.Diff(want, segments); diff != "" || !found || got.Host != "server:6443" || got.Method != http.MethodGet || got.ContentLength != 0 {
		t.Errorf("%s %s of %s:\n%s", got.Method, got.URL, got.Host, diff)
	}
	if below, err := url.PathUnescape(below); err != nil || path.Clean("/"+below) != "/"+below {
		t.Errorf("%q is another path when it is cleaned", got.URL.EscapedPath())
	}
	if diff := cmp.Diff(meantParameters(q, token), got.URL.Query()); diff != "" {
		t.Errorf("parameters of %s (-want +got):\n%s", got.URL, diff)
	}
}

func meantParameters(q Query, token string) url.Values {
	want := url.Values{}
	add := func(name, value string) {
		if value != "" {
			want[name] = []string{value}
		}
	}
	if q.AllowStale && token == "" {
		add("resourceVersion", "0")
	}
	if q.Name != "" {
		return want
	}
	size := q.Limit
	if size <= 0 || size > PageSize {
		size = PageSize
	}
	add("limit", strconv.Itoa(size))
	add("labelSelector", q.LabelSelector)
	add("fieldSelector", q.FieldSelector)
	add("continue", token)
	return want
}
