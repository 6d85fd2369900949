package realkube_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const configMaps = "/api/v1/namespaces/default/configmaps"

func TestFleetOfRealServers(t *testing.T) {
	fleet := realkube.Start(t, 2, "--feature-gates=ListFromCacheSnapshot=false")
	first, second := fleet.Servers[0], fleet.Servers[1]

	t.Run("the kubeconfig names every server", func(t *testing.T) {
		content, err := os.ReadFile(fleet.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		for _, server := range fleet.Servers {
			for _, want := range []string{server.Name, server.URL, server.Token} {
				if !strings.Contains(string(content), want) {
					t.Errorf("no %s in %s", want, content)
				}
			}
		}
	})
	t.Run("what is written can be patched and read back", func(t *testing.T) {
		want(t, http.StatusCreated, first, first.Token, http.MethodPost, configMaps, configMap("written"))
		want(t, http.StatusOK, first, first.Token, http.MethodPatch, configMaps+"/written", `{"data":{"key":"value"}}`)
		answer := want(t, http.StatusOK, first, first.Token, http.MethodGet, configMaps+"/written", "")
		var read struct{ Data map[string]string }
		if err := json.Unmarshal(answer, &read); err != nil {
			t.Fatal(err)
		}
		if read.Data["key"] != "value" {
			t.Errorf("got %s", answer)
		}
		want(t, http.StatusNotFound, second, second.Token, http.MethodGet, configMaps+"/written", "")
	})
	t.Run("a token of another server is not accepted", func(t *testing.T) {
		want(t, http.StatusUnauthorized, first, second.Token, http.MethodGet, configMaps, "")
	})
	t.Run("the limited user may do what a role allows", func(t *testing.T) {
		want(t, http.StatusForbidden, first, first.LimitedToken(), http.MethodGet, configMaps, "")
		allow(t, first, "limited", "default", "configmaps")
		first.Await(t, first.LimitedToken(), configMaps, http.StatusOK)
		want(t, http.StatusForbidden, first, first.LimitedToken(), http.MethodGet, "/api/v1/namespaces/default/pods", "")
	})
	t.Run("a compaction ends continued lists", func(t *testing.T) {
		for i := range 3 {
			want(t, http.StatusCreated, second, second.Token, http.MethodPost, configMaps, configMap(fmt.Sprint("page-", i)))
		}
		answer := want(t, http.StatusOK, second, second.Token, http.MethodGet, configMaps+"?limit=1", "")
		var page struct{ Metadata struct{ Continue string } }
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatal(err)
		}
		next := configMaps + "?limit=1&continue=" + url.QueryEscape(page.Metadata.Continue)
		want(t, http.StatusOK, second, second.Token, http.MethodGet, next, "")
		second.Compact(t)
		want(t, http.StatusGone, second, second.Token, http.MethodGet, next, "")
	})
	t.Run("a killed server refuses connections and the others live", func(t *testing.T) {
		connection := dial(t, first)
		fleet.Kill(0)
		if _, err := connection.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an open connection lives: %v", err)
		}
		if _, err := tls.Dial("tcp", strings.TrimPrefix(first.URL, "https://"), nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", err)
		}
		want(t, http.StatusOK, second, second.Token, http.MethodGet, "/readyz", "")
	})
}

// want sends a request and returns its answer, which must have the status.
func want(t *testing.T, status int, server *realkube.Server, token, method, path, body string) []byte {
	t.Helper()
	got, answer := server.DoAs(t, token, method, path, body)
	if got != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, answer)
	}
	return answer
}

// allow lets a user read a resource of a namespace.
func allow(t *testing.T, server *realkube.Server, user, namespace, resource string) {
	t.Helper()
	rbac := "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace
	want(t, http.StatusCreated, server, server.Token, http.MethodPost, rbac+"/roles", fmt.Sprintf(
		`{"metadata":{"name":"reader"},"rules":[{"apiGroups":[""],"resources":[%q],"verbs":["get","list"]}]}`, resource))
	want(t, http.StatusCreated, server, server.Token, http.MethodPost, rbac+"/rolebindings", fmt.Sprintf(
		`{"metadata":{"name":"reader"},
		  "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reader"},
		  "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":%q}]}`, user))
}

func configMap(name string) string { return fmt.Sprintf(`{"metadata":{"name":%q}}`, name) }

// dial opens a connection on which nothing is sent.
func dial(t *testing.T, server *realkube.Server) *tls.Conn {
	t.Helper()
	ca, err := os.ReadFile(server.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	connection, err := tls.Dial("tcp", strings.TrimPrefix(server.URL, "https://"), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return connection
}
