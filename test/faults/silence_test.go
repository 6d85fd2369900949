package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/canary"
)

// documents are the commands of fleetctl that print what clusters say, with the forms that each can print.
func documents() map[string][]string {
	all := []string{"table", "wide", "json", "yaml", "jsonl", "name", "jsonpath={.items}", "custom-columns=ALL:."}
	return map[string][]string{
		"clusters": all, "probe": all, "history --all": all, "probe --quick": all, "get secrets -A": all, "get secrets -A --table-from-server": nil,
		"get configmaps -A": {"json"}, "diff secrets -A": {"table", "json"}, "overview": {"table", "json"}, "hibernation -A": {"table", "json"},
		"api-resources": {"table", "json"}, "cluster describe sim-0001": {"table", "json"}, "top --once": nil, "version": {"table", "json"},
	}
}

// TestNoSecretIsInAnyOutput breaks clusters in the ways in which servers repeat what they were sent or say what they like,
// asks for everything in every form, and looks through all that comes out and all that is left.
func TestNoSecretIsInAnyOutput(t *testing.T) {
	t.Parallel()
	for _, auth := range []simulator.Auth{simulator.AuthToken, simulator.AuthCert} {
		t.Run(string(auth), func(t *testing.T) {
			t.Parallel()
			s := start(t, simulator.Config{Clusters: 9, Auth: auth}, "--cluster-metrics", "100")
			s.awaitHealthy(t)
			for i, kind := range []simulator.Kind{
				simulator.HostileText, simulator.Unauthorized, simulator.Forbidden, simulator.Redirect, simulator.HTML, simulator.Error500, simulator.TLSUnknownCA, simulator.TruncatedJSON,
			} {
				if err := s.fleet.SetFault(fmt.Sprintf("sim-%04d", i+2), simulator.Fault{Kind: kind}); err != nil {
					t.Fatal(err)
				}
			}
			printed := 0
			for command, forms := range documents() {
				for _, form := range append([]string{""}, forms...) {
					args := strings.Fields(command)
					if form != "" {
						args = append(args, "-o", form)
					}
					r := s.Fleetctl(t, args...)
					if r.Code != 2 {
						printed++
					}
					s.cage.Look(command+" -o "+form, []byte(r.Stdout+"\n"+r.Stderr))
				}
			}
			if printed < 40 {
				t.Errorf("only %d commands printed anything", printed)
			}
			if err := s.scrape(t.Context()); err != nil {
				t.Error(err)
			}
			s.keepsSecrets(t, 100<<10)
			s.seesWhatIsPlanted(t)
		})
	}
}

// TestASecretThatIsLetOutIsFound proves that the search can fail: the operator permits the data of Secrets, and a caller asks
// for it.
func TestASecretThatIsLetOutIsFound(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Clusters: 1}, "--allow-secret-data")
	for _, form := range []string{"json", "yaml", "jsonl"} {
		cage, err := canary.New(secretsOf(t, s.fleet)...)
		if err != nil {
			t.Fatal(err)
		}
		r := s.Fleetctl(t, "get", "secrets", "-A", "--show-secret-data", "-o", form)
		cage.Look(form, []byte(r.Stdout))
		if found, _ := cage.Found(); len(found) == 0 {
			t.Errorf("%s: the data of a Secret is not found in %d bytes, exit code %d: %s", form, len(r.Stdout), r.Code, r.Stderr)
		}
	}
}

// seesWhatIsPlanted makes sure that the directory that was looked through is the one that the aggregator writes to, in
// writing that can be read.
func (s *subject) seesWhatIsPlanted(t *testing.T) {
	t.Helper()
	cage, err := canary.New(canary.Secret{Name: "a reason in the history", Text: "UNAUTHENTICATED"})
	if err != nil {
		t.Fatal(err)
	}
	s.awaitTransition(t, "sim-0003")
	if err := cage.LookIn(s.dataDir); err != nil {
		t.Fatal(err)
	}
	if found, _ := cage.Found(); len(found) == 0 {
		t.Errorf("what the history says is not found in %s", s.dataDir)
	}
	credentials, err := os.ReadFile(s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(credentials, []byte("sim-0003")) {
		t.Errorf("%s is not the kubeconfig of the fleet", s.kubeconfig)
	}
	planted, err := canary.New(secretsOf(t, s.fleet)...)
	if err != nil {
		t.Fatal(err)
	}
	planted.Look("the kubeconfig", credentials)
	if found, _ := planted.Found(); len(found) < len(s.fleet.Names()) {
		t.Errorf("only %d credentials are found in the kubeconfig", len(found))
	}
}
