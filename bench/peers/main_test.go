package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(standIn) != "" {
		if err := beKubectl(os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// pods is how many each cluster of the tests has.
const pods = 7

// simulate starts a fleet of three clusters, of which the second one answers nothing but 500, and returns its kubeconfig.
func simulate(t *testing.T) (fleet *simulator.Fleet, kubeconfig string) {
	fleet = fleettest.Simulate(t, simulator.Config{Clusters: 3, Counts: map[string]int{"pods": pods}})
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := fleet.WriteKubeconfig(kubeconfig); err != nil {
		t.Fatal(err)
	}
	if err := fleet.SetFault("sim-0002", simulator.Fault{Kind: simulator.Error500}); err != nil {
		t.Fatal(err)
	}
	return fleet, kubeconfig
}

// oneRound has this program do one round of the job.
func oneRound(t *testing.T, j child.Job) measure.Measurement {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	stdin, command := io.Pipe()
	answers, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(t.Context(), []string{child.Command, string(text)}, stdin, stdout)
		_ = stdout.CloseWithError(err) // as the end of a process does
		ended <- err
	}()
	var prepared, done measure.Measurement
	decoder := json.NewDecoder(answers)
	err = decoder.Decode(&prepared)
	if err == nil {
		_, err = command.Write([]byte("\n"))
	}
	if err == nil {
		err = decoder.Decode(&done)
	}
	if err := errors.Join(err, command.Close(), <-ended); err != nil {
		t.Fatal(err)
	}
	return done
}

// built returns the path of a tool that is pinned in the module in folder.
func built(t *testing.T, folder, name string) string {
	path, err := exec.CommandContext(t.Context(), "go", "tool", "-C", folder, "-n", name).Output()
	if err != nil {
		t.Fatalf("build %s: %v", name, err)
	}
	return strings.TrimSpace(string(path))
}

func TestPeersProbeAndReadEveryClusterAndCountTheOneThatFailsAsFailed(t *testing.T) {
	const sweeps = 2
	for name, j := range map[string]child.Job{
		"readyz":        {Role: "readyz", Shape: "errgroup"},
		"version":       {Role: "version", Shape: "errgroup"},
		"namespace":     {Role: "namespace", Shape: "errgroup"},
		"typed pods":    {Role: "typed pods", Shape: "errgroup", Objects: pods},
		"dynamic pods":  {Role: "dynamic pods", Shape: "errgroup", Objects: pods},
		"naive":         {Role: "readyz", Shape: "naive"},
		"semaphore":     {Role: "readyz", Shape: "semaphore"},
		"batches":       {Role: "readyz", Shape: "batches"},
		"blackbox":      {Role: "blackbox_exporter", Tool: built(t, "blackbox", "blackbox_exporter")},
		"cloudprober":   {Role: "cloudprober", Tool: built(t, "cloudprober", "cloudprober")},
		"kubectl":       {Role: "kubectl", Shape: "readyz", Tool: os.Args[0]},
		"kubectl, pods": {Role: "kubectl", Shape: "pods", Tool: os.Args[0]},
	} {
		t.Run(name, func(t *testing.T) {
			if j.Role == "kubectl" {
				t.Setenv(standIn, "1")
			}
			fleet, kubeconfig := simulate(t)
			j.Kubeconfig, j.Limit, j.Sweeps, j.Folder = kubeconfig, 2, sweeps, t.TempDir()
			m := oneRound(t, j)
			if m.Operations != 2*sweeps {
				t.Errorf("%d operations succeeded, want %d", m.Operations, 2*sweeps)
			}
			if m.Wall <= 0 || m.CPU < 0 || m.PeakRSS < 1<<20 {
				t.Errorf("measured %+v", m)
			}
			for _, name := range fleet.Names() {
				if seen, _ := fleet.ClusterStats(name); seen.Requests < sweeps {
					t.Errorf("%s saw %d requests, want at least %d", name, seen.Requests, sweeps)
				}
			}
		})
	}
}

func TestListWithOtherThanTheObjectsThatAreThereIsNoSuccess(t *testing.T) {
	_, kubeconfig := simulate(t)
	for _, role := range []string{"typed pods", "dynamic pods"} {
		m := oneRound(t, child.Job{Role: role, Shape: "errgroup", Kubeconfig: kubeconfig, Limit: 2, Objects: pods + 1})
		if m.Operations != 0 {
			t.Errorf("%s: %d operations succeeded", role, m.Operations)
		}
	}
}

func TestOnlyTheFirstClustersAreAskedIfTheJobSaysSo(t *testing.T) {
	fleet, kubeconfig := simulate(t)
	m := oneRound(t, child.Job{Role: "readyz", Shape: "errgroup", Kubeconfig: kubeconfig, Limit: 2, Clusters: 1})
	seen, _ := fleet.ClusterStats("sim-0003")
	if m.Operations != 1 || seen.Requests != 0 {
		t.Errorf("%d operations succeeded, want 1; the last cluster saw %d requests, want none", m.Operations, seen.Requests)
	}
}

func TestConnectionsAreThereBeforeTheFirstRoundOfAWarmJob(t *testing.T) {
	fleet, kubeconfig := simulate(t)
	oneRound(t, child.Job{Role: "readyz", Shape: "errgroup", Kubeconfig: kubeconfig, Limit: 2, Warm: true})
	seen, _ := fleet.ClusterStats("sim-0001")
	if seen.Requests != 2 || seen.AcceptedConnections != 1 {
		t.Errorf("%d requests over %d connections, want 2 over 1", seen.Requests, seen.AcceptedConnections)
	}
}

func TestToolThatDoesNotStartIsAnErrorAtOnce(t *testing.T) {
	_, kubeconfig := simulate(t)
	for _, role := range []string{"blackbox_exporter", "cloudprober"} {
		text, err := json.Marshal(child.Job{Role: role, Kubeconfig: kubeconfig, Limit: 2, Folder: t.TempDir(), Tool: "/bin/false"})
		if err != nil {
			t.Fatal(err)
		}
		stdin, command := io.Pipe()
		err = run(t.Context(), []string{child.Command, string(text)}, stdin, io.Discard)
		_ = command.Close() // it never fails
		if err == nil || !strings.Contains(err.Error(), "it has ended") {
			t.Errorf("%s: %v", role, err)
		}
	}
}

func TestJobThatMakesNoSenseIsAnError(t *testing.T) {
	_, kubeconfig := simulate(t)
	for _, text := range []string{
		"{", `{"role":"none"}`, `{"role":"readyz","shape":"none","kubeconfig":"` + kubeconfig + `"}`,
		`{"role":"readyz","shape":"errgroup","kubeconfig":"/none"}`,
	} {
		if err := run(t.Context(), []string{child.Command, text}, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	if err := run(t.Context(), nil, strings.NewReader(""), io.Discard); err == nil {
		t.Error("no argument: no error")
	}
}
