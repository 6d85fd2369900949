package cluster

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// What works with kubectl works here: the addresses of client-go, however the operator wrote the path. It reads an
// encoded slash as one, which no proxy does that needs it.
func TestRequestsGoBelowThePathOfTheServersAddress(t *testing.T) {
	for host, want := range map[string]string{
		"api.example":                           "https://api.example",
		"https://api.example:6443":              "https://api.example:6443",
		"https://api.example/":                  "https://api.example",
		"https://api.example///":                "https://api.example",
		"https://api.example/k8s/clusters/c-1/": "https://api.example/k8s/clusters/c-1",
		"https://api.example//k8s//c-1":         "https://api.example/k8s/c-1",
		"https://api.example/k8s/../c-1/.":      "https://api.example/c-1",
		"https://api.example/k8s?a=b":           "https://api.example/k8s",
		"https://api.example/ü":                 "https://api.example/%C3%BC",
		"https://api.example/a%2Fb/":            "https://api.example/a%2Fb",
		"https://api.example/%2F":               "https://api.example/%2F",
	} {
		config := &rest.Config{Host: host}
		if got := (Definition{Config: config}).Server(); got != want {
			t.Errorf("%s is shown as %s, want %s", host, got, want)
		}
		base, err := serverURL(config)
		if err != nil {
			t.Fatal(err)
		}
		requests, err := newRequests(config, base, "x")
		if err != nil {
			t.Fatal(err)
		}
		u := requests.url("/readyz", "")
		if got := u.String(); got != want+"/readyz" {
			t.Errorf("%s: %s is asked, want %s/readyz", host, got, want)
		}
		if base.RawPath == "" {
			if kubectl := kubectlAsks(t, config); u.String() != kubectl {
				t.Errorf("%s: %s is asked, but %s by kubectl", host, u.String(), kubectl)
			}
		}
	}
}

// kubectlAsks returns the URL that client-go asks for /readyz.
func kubectlAsks(t *testing.T, config *rest.Config) string {
	t.Helper()
	c := rest.CopyConfig(config)
	c.GroupVersion = &schema.GroupVersion{}
	c.Insecure = true // or it takes http for an address without a scheme
	base, below, err := rest.DefaultServerUrlFor(c)
	if err != nil {
		t.Fatal(err)
	}
	return rest.NewRequestWithClient(base, below, rest.ClientContentConfig{}, nil).AbsPath("/readyz").URL().String()
}
