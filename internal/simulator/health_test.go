package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

const (
	reviewPath       = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	accessReviewPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
)

func TestHealthIsToldAsKubeApiserverTellsIt(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 1})
	for _, c := range []*client{newClient(t, fleet, "sim-0001"), newClient1(t, fleet, "sim-0001")} {
		for _, path := range []string{"/readyz", "/livez", "/healthz"} {
			answer := c.get(path)
			if answer.status != 200 || answer.body != "ok" {
				t.Errorf("%s %s: %d %q", answer.proto, path, answer.status, answer.body)
			}
		}
		wantStatus(t, c.get("/version"), 200, `"gitVersion":"v1.`)
	}
	c := newClient(t, fleet, "sim-0001")
	verbose := c.get("/readyz?verbose").body
	if !strings.HasPrefix(verbose, "[+]ping ok\n[+]log ok\n[+]etcd ok\n") ||
		!strings.HasSuffix(verbose, "[+]shutdown ok\nreadyz check passed\n") {
		t.Errorf("readyz?verbose:\n%s", verbose)
	}
	if body := c.get("/livez?verbose").body; !strings.HasSuffix(body, "livez check passed\n") || strings.Contains(body, "shutdown") {
		t.Errorf("livez?verbose:\n%s", body)
	}
	wantStatus(t, c.get("/readyz?verbose&exclude=etcd"), 200, "[+]etcd excluded: ok\n")
	wantStatus(t, c.get("/readyz/etcd"), 200, "ok")
	wantStatus(t, c.get("/readyz/nothing"), 404)
}

func TestBothProtocolsAreServed(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 1})
	if proto := newClient(t, fleet, "sim-0001").get("/readyz").proto; proto != "HTTP/2.0" {
		t.Errorf("got %s, want HTTP/2.0", proto)
	}
	if proto := newClient1(t, fleet, "sim-0001").get("/readyz").proto; proto != "HTTP/1.1" {
		t.Errorf("got %s, want HTTP/1.1", proto)
	}
}

func TestAnonymousMayReadHealthAndNothingElse(t *testing.T) {
	for _, auth := range []simulator.Auth{simulator.AuthToken, simulator.AuthCert} {
		fleet := start(t, simulator.Config{Clusters: 1, Auth: auth})
		c := newClient(t, fleet, "sim-0001")
		c.token = ""
		c.tls.GetClientCertificate = nil
		c.tls.Certificates = nil
		for _, path := range []string{"/readyz", "/livez?verbose", "/healthz", "/version"} {
			wantStatus(t, c.get(path), http.StatusOK)
		}
		wantStatus(t, c.get("/api"), http.StatusForbidden, `forbidden: User \"system:anonymous\" cannot get path \"/api\"`)
		wantStatus(t, c.get("/api/v1/pods"), http.StatusForbidden,
			`pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the cluster scope`)
		wantStatus(t, c.get("/apis/apps/v1/namespaces/shop/deployments/x"), http.StatusForbidden,
			`deployments.apps \"x\" is forbidden: User \"system:anonymous\" cannot get resource \"deployments\" `+
				`in API group \"apps\" in the namespace \"shop\"`)
		wantStatus(t, c.post(reviewPath, map[string]any{}), http.StatusForbidden)
		c.token = "invalid"
		wantStatus(t, c.get("/readyz"), http.StatusUnauthorized, `"kind":"Status"`, `"message":"Unauthorized"`)
	}
}

func TestReviewsTellWhoAndWhatIsAllowed(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	wantStatus(t, c.post(reviewPath, map[string]any{}), http.StatusCreated,
		`"kind":"SelfSubjectReview"`, `"username":"sim-0001-admin"`, "system:authenticated")
	wantStatus(t, c.get(reviewPath), http.StatusMethodNotAllowed)
	spec := map[string]any{"resourceAttributes": map[string]any{"verb": "list", "resource": "pods"}}
	wantStatus(t, c.post(accessReviewPath, map[string]any{"spec": spec}), http.StatusCreated,
		`"kind":"SelfSubjectAccessReview"`, `"allowed":true`, `"verb":"list"`)
	wantStatus(t, c.post(accessReviewPath, map[string]any{}), http.StatusUnprocessableEntity)
	wantStatus(t, c.post(accessReviewPath, []string{"nonsense"}), http.StatusBadRequest)
}
