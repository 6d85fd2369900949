package test_test

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// nobody is a kubeconfig whose only cluster does not answer.
func nobody(t *testing.T) string {
	t.Helper()
	return writeFile(t, "kubeconfig", `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: not-used}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
`)
}

func TestWrongUseOfTheAggregatorIsToldInOneLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--limit", "0"}, 2, "--limit must be from 1 to 1024, not 0"},
		{[]string{"--no-such-flag"}, 2, "unknown flag: --no-such-flag"},
		{[]string{"extra"}, 2, `unknown argument "extra"`},
		{[]string{"--grpc-address", "0.0.0.0:0"}, 2, "plaintext is served on loopback only"},
		{[]string{"--http-address", "0.0.0.0:0"}, 2, "plaintext is served on loopback only"},
		{[]string{"--tls-cert", "server.crt"}, 2, "--tls-cert and --tls-key go together"},
		{[]string{"--client-ca", "ca.crt"}, 2, "--client-ca needs --tls-cert and --tls-key"},
		{[]string{"--grpc-address", taken.Addr().String()}, 1, "--grpc-address " + taken.Addr().String() + ": the address is in use"},
		{[]string{"--grpc-address", "127.0.0.1:0", "--http-address", taken.Addr().String()}, 1, "--http-address " + taken.Addr().String() + ": the address is in use"},
		{[]string{"--tls-cert", "/missing.crt", "--tls-key", "/missing.key"}, 1, "--tls-cert /missing.crt: no such file or directory"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			r := programs.Run(t, "aggregator", append([]string{"--kubeconfig", nobody(t)}, c.args...)...)
			exits(t, r, c.code, "", "aggregator: ")
			if r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, c.want) {
				t.Errorf("got %q and %q, want one line with %q", r.Stdout, r.Stderr, c.want)
			}
		})
	}
}

func TestEachProgramTellsItsVersionAndItsUse(t *testing.T) {
	for _, name := range []string{"aggregator", "fleetctl", "fleetsim"} {
		exits(t, programs.Run(t, name, "--help"), 0, "Usage:", "")
	}
	for _, name := range []string{"aggregator", "fleetctl"} {
		if r := programs.Run(t, name, "--version"); r.Code != 0 || !strings.Contains(r.Stdout, name+" version ") {
			t.Errorf("%s --version: got %+v", name, r)
		}
	}
}

func TestWrongUseOfFleetctlIsToldInOneLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--server", "127.0.0.1:1", "probe"}, 1, "127.0.0.1:1"},
		{[]string{"--server", "fleet.invalid:7443", "--timeout", "5s", "probe"}, 1, "fleet.invalid"},
		{[]string{"probe", "--limit", "0"}, 2, "--limit"},
		{[]string{"probe", "--timeout", "0s"}, 2, "--timeout"},
		{[]string{"probe", "--timeout", "-1s"}, 2, "--timeout"},
		{[]string{"probe", "--per-cluster-timeout", "-1s"}, 2, "--per-cluster-timeout"},
		{[]string{"get"}, 2, ""},
		{[]string{"get", "pods", "--no-such-flag"}, 2, "--no-such-flag"},
		{[]string{"nonsense"}, 2, "nonsense"},
		{[]string{"probe", "-o", "xml"}, 2, "xml"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			r := programs.Run(t, "fleetctl", c.args...)
			exits(t, r, c.code, "", c.want)
			if r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 {
				t.Errorf("got %q and %q, want one line", r.Stdout, r.Stderr)
			}
		})
	}
}

func TestWrongUseOfFleetsimIsToldInOneLine(t *testing.T) {
	out := []string{"--kubeconfig-out", t.TempDir() + "/kubeconfig"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--kubeconfig-out FILE is required"},
		{append(out, "--clusters", "0"), "clusters: 0"},
		{append(out, "--for", "-1s"), "--for -1s is negative"},
		{append(out, "--latency", "fast"), `"fast" is not a duration`},
		{append(out, "--scenario", "/missing.yaml"), "/missing.yaml"},
		{append(out, "--admin-address", "0.0.0.0:0"), "no loopback address"},
		{append(out, "extra"), `"extra"`},
		{append(out, "--no-such-flag"), "--no-such-flag"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			r := programs.Run(t, "fleetsim", c.args...)
			exits(t, r, 2, "", c.want)
			if r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 {
				t.Errorf("got %q and %q, want one line", r.Stdout, r.Stderr)
			}
		})
	}
}

func TestSIGTERMEndsOpenStreamsAndTheAggregator(t *testing.T) {
	simulation := programs.Simulation(t, "faults: [{clusters: '*', fault: hang, paths: [/api/v1/pods]}]", "--clusters", "3")
	a := programs.Aggregator(t, simulation.Kubeconfig, product.Unwatched)
	// A stream that would last a minute, and a watch of the server's health.
	stream := a.Client(t).FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{ResourceType: &fleetv1.ResourceType{Resource: "pods"}})
	conn, err := grpc.NewClient(a.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "fleet.v1.ManifestService"})
	if err != nil {
		t.Fatal(err)
	}
	serving(t, watch, healthpb.HealthCheckResponse_SERVING)
	if got := httpStatus(t, a, "/readyz"); got != http.StatusOK {
		t.Errorf("/readyz: got %d", got)
	}

	var began time.Time
	var last error
	for event, err := range stream.Events() {
		if event.GetStarted() != nil {
			simulation.AwaitTraffic(t, "", "the clusters are asked", func(s product.Traffic) bool { return s.InFlight == 3 })
			began = time.Now()
			a.Signal(t, syscall.SIGTERM)
			serving(t, watch, healthpb.HealthCheckResponse_NOT_SERVING)
			if got := httpStatus(t, a, "/readyz"); got != http.StatusServiceUnavailable {
				t.Errorf("/readyz: got %d", got)
			}
			if got := httpStatus(t, a, "/livez"); got != http.StatusOK {
				t.Errorf("/livez: got %d", got)
			}
			exits(t, a.Fleetctl(t, "clusters", "--timeout", "2s"), 1, "", "error: ")
		}
		last = err
	}
	if status.Code(last) != codes.Unavailable || client.Reason(last) != "SHUTTING_DOWN" {
		t.Errorf("the stream ended with %v", last)
	}
	if stream.Summary() != nil {
		t.Errorf("a stream that was cut short has a summary: %v", stream.Summary())
	}
	if code := a.Wait(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	simulation.AwaitTraffic(t, "", "the API servers see the requests end", func(s product.Traffic) bool { return s.InFlight == 0 })
}

func TestSIGTERMEndsAnIdleAggregatorAtOnce(t *testing.T) {
	a := programs.Aggregator(t, nobody(t))
	a.Signal(t, syscall.SIGTERM)
	if code := a.Wait(t, 5*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(a.Stderr.String(), "level=ERROR") {
		t.Errorf("got %s", a.Stderr)
	}
}

func TestMetricsTellOfCalls(t *testing.T) {
	a := programs.Aggregator(t, nobody(t))
	exits(t, a.Fleetctl(t, "probe"), 3, "CONNECTION_REFUSED", "")
	m := a.Metrics(t)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"clusterfleet_clusters", nil, 1},
		{"clusterfleet_build_info", nil, 1},
		{"grpc_server_handled_total", []string{"grpc_service", "fleet.v1.HealthService", "grpc_method", "ProbeClusters", "grpc_code", "OK"}, 1},
		{"grpc_server_msg_sent_total", []string{"grpc_method", "ProbeClusters"}, 3},
	} {
		if got := m.Value(c.name, c.labels...); got != c.want {
			t.Errorf("%s %v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if m.Value("go_goroutines") == 0 || m.Value("process_open_fds") == 0 {
		t.Error("the process's own metrics are missing")
	}
}

func serving(t *testing.T, watch grpc.ServerStreamingClient[healthpb.HealthCheckResponse], want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	answer, err := watch.Recv()
	if err != nil || answer.GetStatus() != want {
		t.Fatalf("the health is %v, %v; want %s", answer, err, want)
	}
}

func httpStatus(t *testing.T, a *product.Aggregator, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.HTTP+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
