package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVersionIsWrittenToStdout(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, &stdout, &stderr); err != nil || !strings.HasPrefix(stdout.String(), "fleetsim version ") || stderr.Len() > 0 {
		t.Errorf("got %v, %q and, on stderr, %q", err, &stdout, &stderr)
	}
}

func TestUsageErrorsAreOneLineAndExitTwo(t *testing.T) {
	dir := t.TempDir()
	scenario := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(scenario, []byte("faults:\n- {clusters: sim-0001, fault: reset, retryAfter: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := "--kubeconfig-out=" + filepath.Join(dir, "config")
	for want, args := range map[string][]string{
		"--kubeconfig-out FILE is required":     {},
		"clusters: 0 is not within":             {out, "--clusters=0"},
		"clusters: 100000 is not within":        {out, "--clusters=100000"},
		`invalid argument "many"`:               {out, "--clusters=many"},
		"unknown flag: --cluster":               {out, "--cluster=3"},
		`unexpected argument "extra"`:           {out, "extra"},
		`latency "soon"`:                        {out, "--latency=soon"},
		`auth: "basic" is neither`:              {out, "--auth=basic"},
		"port: 70000 is not within":             {out, "--port=70000"},
		`--network "here" is no network`:        {out, "--network=here"},
		"network: 10.16.0.0/24 is no IPv4":      {out, "--network=10.16.0.0/24"},
		"network: no machine has an address":    {out, "--network=224.16.0.0/16"},
		"port: every cluster has a port":        {out, "--port=7000", "--own-ports"},
		"counts: pods: -1":                      {out, "--pods=-1"},
		"object bytes: -5":                      {out, "--object-bytes=-5"},
		"--for -1s is negative":                 {out, "--for=-1s"},
		`--admin-address "0.0.0.0:0" is no`:     {out, "--admin-address=0.0.0.0:0"},
		"no such file or directory":             {out, "--scenario=" + filepath.Join(dir, "none.yaml")},
		`fault 1: (reset) unknown field "retry`: {out, "--scenario=" + scenario},
	} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), args, &stdout, &stderr)
		if exitCode(err) != 2 {
			t.Errorf("%v: exit %d (%v), want 2", args, exitCode(err), err)
		}
		line := stderr.String()
		if !strings.HasPrefix(line, "fleetsim: ") || strings.Count(line, "\n") != 1 || !strings.Contains(line, want) {
			t.Errorf("%v: stderr %q, want one line with %q", args, line, want)
		}
		if stdout.Len() > 0 {
			t.Errorf("%v: stdout %q", args, stdout.String())
		}
	}
}

func TestWhatTheMachineRefusesExitsOne(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	out := "--kubeconfig-out=" + filepath.Join(dir, "config")
	for name, args := range map[string][]string{
		"foreign network":  {out, "--network=203.0.0.0/16"},
		"no directory":     {"--kubeconfig-out=" + filepath.Join(dir, "none", "config")},
		"admin port taken": {out, "--admin-address=" + taken.Addr().String()},
	} {
		var stderr bytes.Buffer
		if err := run(t.Context(), args, io.Discard, &stderr); exitCode(err) != 1 {
			t.Errorf("%s: exit %d: %v", name, exitCode(err), err)
		}
		if strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: stderr %q", name, stderr.String())
		}
	}
}

func TestHelpNamesTheFlags(t *testing.T) {
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--clusters", "--kubeconfig-out", "--scenario", "--pods", "--widgets", "--for"} {
		if !strings.Contains(stdout.String(), flag) {
			t.Errorf("%s is not in the help", flag)
		}
	}
}

func TestProgramServesAFleetUntilItIsInterrupted(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "config")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	lines, stdout := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"--clusters=40", "--kubeconfig-out=" + kubeconfig, "--admin-address=127.0.0.1:0", "--latency=1ms",
			"--scenario=../../docs/examples/demo.yaml", "--seed=3", "--auth=cert", "--pods=7",
		}, stdout, &stderr)
	}()
	first, err := bufio.NewReader(lines).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var up announcement
	if err := json.Unmarshal(first, &up); err != nil {
		t.Fatalf("%q: %v", first, err)
	}
	if up.Kubeconfig != kubeconfig || up.Clusters != 40 || up.Address == "" {
		t.Errorf("announced %+v", up)
	}
	reachSomeCluster(t, kubeconfig)

	var stats simulator.Stats
	fetch(t, http.MethodGet, up.Admin+"/stats", http.StatusOK, &stats)
	if stats.Clusters != 40 || stats.Requests == 0 {
		t.Errorf("stats %+v", stats)
	}
	fetch(t, http.MethodPost, up.Admin+"/reset", http.StatusNoContent, nil)
	fetch(t, http.MethodGet, up.Admin+"/stats", http.StatusOK, &stats)
	if stats.Requests != 0 {
		t.Errorf("after a reset %+v", stats)
	}
	var one simulator.ClusterStats
	fetch(t, http.MethodGet, up.Admin+"/stats?cluster=sim-0001", http.StatusOK, &one)
	fetch(t, http.MethodGet, up.Admin+"/stats?cluster=none", http.StatusNotFound, nil)
	fetch(t, http.MethodGet, up.Admin+"/reset", http.StatusMethodNotAllowed, nil)

	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	for _, part := range []string{"40 simulated clusters, sim-0001 to sim-0040", "kubectl --kubeconfig " + kubeconfig, up.Admin} {
		if !strings.Contains(stderr.String(), part) {
			t.Errorf("stderr has no %q:\n%s", part, stderr.String())
		}
	}
}

// reachSomeCluster finds one that is ready: the scenario breaks some.
func reachSomeCluster(t *testing.T, kubeconfig string) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name := range config.Contexts {
		settings, err := clientcmd.NewNonInteractiveClientConfig(*config, name, nil, nil).ClientConfig()
		if err != nil {
			t.Fatal(err)
		}
		secured, err := rest.TLSConfigFor(settings)
		if err != nil {
			t.Fatal(err)
		}
		dialer := net.Dialer{Timeout: 500 * time.Millisecond} // net/http goes on dialling when the request has ended
		transport := &http.Transport{TLSClientConfig: secured, DisableKeepAlives: true, DialContext: dialer.DialContext}
		client := &http.Client{Transport: transport, Timeout: time.Second}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, settings.Host+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Error("no cluster is ready")
}

func fetch(t *testing.T, method, url string, status int, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", method, url, response.StatusCode, status)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Errorf("%s: %v", url, err)
	}
}

func TestProgramEndsByItself(t *testing.T) {
	args := []string{"--clusters=2", "--kubeconfig-out=" + filepath.Join(t.TempDir(), "config"), "--for=50ms"}
	if err := run(t.Context(), args, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
}
