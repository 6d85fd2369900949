package product

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

// Simulation is a running fleetsim.
type Simulation struct {
	*process.Process

	Kubeconfig string
	// Dial connects to a program in another network; nil for one in the test's own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	admin string
}

// Traffic is what a simulated fleet, or one of its clusters, has seen so far.
type Traffic struct {
	Requests        int64 `json:"requests"` // answered or aborted
	InFlight        int64 `json:"inFlight"`
	Aborted         int64 `json:"aborted"` // by the client
	OpenConnections int64 `json:"openConnections"`
	BytesWritten    int64 `json:"bytesWritten"` // of the whole fleet only
}

// Simulation runs fleetsim until the test ends, with a scenario in YAML, empty for none.
func (p *Programs) Simulation(t testing.TB, scenario string, flags ...string) *Simulation {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "simulated.kubeconfig")
	args := []string{"--kubeconfig-out", kubeconfig, "--admin-address", "127.0.0.1:0"}
	if scenario != "" {
		file := filepath.Join(t.TempDir(), "scenario.yaml")
		if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--scenario", file)
	}
	s := &Simulation{Process: process.StartCommand(t, p.command("fleetsim", append(args, flags...)...)), Kubeconfig: kubeconfig}
	s.admin = s.Stdout.Await(t, `"admin":"([^"]+)"`)[1]
	return s
}

// Traffic returns what a cluster has seen, or the whole fleet if the name is empty.
func (s *Simulation) Traffic(t testing.TB, cluster string) Traffic {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.admin+"/stats?cluster="+cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true, DialContext: s.Dial}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var traffic Traffic
	if err := json.NewDecoder(response.Body).Decode(&traffic); err != nil {
		t.Fatal(err)
	}
	return traffic
}

// AwaitTraffic looks at a cluster's traffic, or the fleet's, until it is as it should be.
func (s *Simulation) AwaitTraffic(t testing.TB, cluster, what string, done func(Traffic) bool) {
	t.Helper()
	var last Traffic
	err := process.Poll(t.Context(), func() (bool, error) {
		last = s.Traffic(t, cluster)
		return done(last), nil
	})
	if err != nil {
		t.Fatalf("%s: %+v: %v", what, last, err)
	}
}
