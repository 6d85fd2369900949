package simulator_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestEveryContextReachesItsOwnCluster(t *testing.T) {
	for _, auth := range []simulator.Auth{simulator.AuthToken, simulator.AuthCert} {
		for _, own := range []bool{false, true} {
			t.Run(string(auth), func(t *testing.T) {
				fleet := start(t, simulator.Config{Clusters: 5, Auth: auth, OwnPorts: own})
				for _, name := range fleet.Names() {
					answer := newClient(t, fleet, name).post(reviewPath, map[string]any{})
					wantStatus(t, answer, http.StatusCreated, `"username":"`+name+`-admin"`)
				}
			})
		}
	}
}

func TestCredentialsOfOneClusterAreRefusedByAnother(t *testing.T) {
	t.Run("token", func(t *testing.T) {
		fleet := start(t, simulator.Config{Clusters: 2})
		stranger := newClient(t, fleet, "sim-0001")
		stranger.token = newClient(t, fleet, "sim-0002").token
		for _, path := range []string{"/readyz", "/version", "/api/v1/pods"} {
			wantStatus(t, stranger.get(path), http.StatusUnauthorized, `"reason":"Unauthorized"`)
		}
	})
	t.Run("cert", func(t *testing.T) {
		fleet := start(t, simulator.Config{Clusters: 2, Auth: simulator.AuthCert})
		stranger := newClient(t, fleet, "sim-0001")
		stranger.tls.Certificates = newClient(t, fleet, "sim-0002").tls.Certificates
		stranger.tls.GetClientCertificate = newClient(t, fleet, "sim-0002").tls.GetClientCertificate
		wantStatus(t, stranger.get("/readyz"), http.StatusUnauthorized, `"reason":"Unauthorized"`)
	})
}

func TestServerNameOfOneClusterIsNotThatOfAnother(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 2})
	mistaken := newClient(t, fleet, "sim-0001")
	mistaken.tls.ServerName = "sim-0002.fleetsim.internal"
	_, err := mistaken.try("/readyz")
	if wrong := (x509.HostnameError{}); !errors.As(err, &wrong) {
		t.Errorf("got %v, want a hostname error", err)
	}
}

func TestKubeconfigCarriesLabelsInAnExtension(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 60})
	config, err := clientcmd.Load(fleet.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "sim-0001" || len(config.Contexts) != 60 {
		t.Fatalf("current context %q of %d", config.CurrentContext, len(config.Contexts))
	}
	seen := map[string]map[string]bool{"env": {}, "region": {}, "tier": {}}
	for name, context := range config.Contexts {
		unknown, ok := context.Extensions["clusterfleet"].(*runtime.Unknown)
		if !ok {
			t.Fatalf("%s: the extension is a %T", name, context.Extensions["clusterfleet"])
		}
		var extension struct{ Labels map[string]string }
		if err := json.Unmarshal(unknown.Raw, &extension); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key := range seen {
			seen[key][extension.Labels[key]] = true
		}
	}
	want := map[string]bool{"prod": true, "staging": true, "dev": true}
	if diff := cmp.Diff(want, seen["env"]); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
	if len(seen["region"]) < 3 || len(seen["tier"]) < 3 {
		t.Errorf("labels do not vary: %v", seen)
	}
}

func TestKubeconfigFileIsReplacedWholeAndPrivate(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 3})
	dir := t.TempDir()
	path := filepath.Join(dir, "config")
	if err := os.WriteFile(path, []byte("something older and world readable"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := fleet.WriteKubeconfig(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range config.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(fleet.Names(), names); diff != "" {
		t.Errorf("contexts (-want +got):\n%s", diff)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".kubeconfig-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := fleet.WriteKubeconfig(filepath.Join(dir, "missing", "config")); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}

func TestClusterRefusesWhatNoConfigurationMayAsk(t *testing.T) {
	for name, config := range map[string]simulator.Config{
		"no clusters":        {},
		"too many clusters":  {Clusters: simulator.MaxClusters + 1},
		"port":               {Clusters: 1, Port: 70000},
		"auth":               {Clusters: 1, Auth: "basic"},
		"unknown resource":   {Clusters: 1, Counts: map[string]int{"gadgets": 1}},
		"negative count":     {Clusters: 1, Counts: map[string]int{"pods": -1}},
		"no namespace":       {Clusters: 1, Counts: map[string]int{"namespaces": 0}},
		"object bytes":       {Clusters: 1, ObjectBytes: -1},
		"selects no cluster": {Clusters: 1, Scenario: &simulator.Scenario{Rules: []simulator.Rule{{Clusters: "x*"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			fleet, err := simulator.Start(t.Context(), config)
			if !errors.Is(err, simulator.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
			if fleet != nil {
				_ = fleet.Close()
			}
		})
	}
}
