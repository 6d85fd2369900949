package test_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

func TestEachFaultIsToldByItsReasonAndTheOthersAreWhole(t *testing.T) {
	faults := []struct{ fault, probe, fetch string }{
		{"refuse", "CONNECTION_REFUSED", "CONNECTION_REFUSED"},
		{"blackhole", "CONNECT_TIMEOUT", "CONNECT_TIMEOUT"},
		{"hang", "RESPONSE_TIMEOUT", "RESPONSE_TIMEOUT"},
		{"tls-expired", "TLS_EXPIRED", "TLS_EXPIRED"},
		{"tls-wrong-host", "TLS_HOSTNAME_MISMATCH", "TLS_HOSTNAME_MISMATCH"},
		{"tls-unknown-ca", "TLS_UNKNOWN_AUTHORITY", "TLS_UNKNOWN_AUTHORITY"},
		{"tls-garbage", "TLS_HANDSHAKE_FAILED", "TLS_HANDSHAKE_FAILED"},
		{"unauthorized", "UNAUTHENTICATED", "UNAUTHENTICATED"},
		{"auth-fails", "UNAUTHENTICATED", ""},
		{"permission-denied", "FORBIDDEN", "FORBIDDEN"},
		{"throttle", "THROTTLED", "THROTTLED"},
		{"error-500", "SERVER_ERROR", "SERVER_ERROR"},
		{"not-ready", "NOT_READY", ""},
		{"redirect", "REDIRECTED", "REDIRECTED"},
		{"reset", "CONNECTION_RESET", "CONNECTION_RESET"},
		{"html", "MALFORMED_RESPONSE", "MALFORMED_RESPONSE"},
		{"endless-headers", "RESPONSE_TOO_LARGE", "RESPONSE_TOO_LARGE"},
		{"truncated-json", "MALFORMED_RESPONSE", "MALFORMED_RESPONSE"},
		{"hostile-text", "SERVER_ERROR", "SERVER_ERROR"},
	}
	scenario := strings.Builder{}
	scenario.WriteString("faults:\n")
	for i, f := range faults {
		fmt.Fprintf(&scenario, "- {clusters: sim-%04d, fault: %s}\n", i+1, f.fault)
	}
	simulation := programs.Simulation(t, scenario.String(), "--clusters", fmt.Sprint(len(faults)+1))
	a := programs.Aggregator(t, simulation.Kubeconfig)

	t.Run("by a probe", func(t *testing.T) {
		results, _ := probe(t, a, 3)
		for i, f := range faults {
			r := results[fmt.Sprintf("sim-%04d", i+1)]
			if got := client.Reason(client.StatusError(r.GetError())); got != f.probe {
				t.Errorf("%s: got %q, want %q: %v", f.fault, got, f.probe, r.GetObservation().GetVerdict())
			}
		}
		verdict(t, results[fmt.Sprintf("sim-%04d", len(faults)+1)], fleetv1.Verdict_STATE_HEALTHY, 0)
	})
	t.Run("by a fetch", func(t *testing.T) {
		reads, _ := fetch(t, a, &fleetv1.FetchManifestsRequest{
			ResourceType:      &fleetv1.ResourceType{Resource: "configmaps", Version: "v1"},
			PerClusterTimeout: durationpb.New(4 * time.Second), // more than a connection may take
		})
		for i, f := range faults {
			if got := reads[fmt.Sprintf("sim-%04d", i+1)]; got.reason() != f.fetch {
				t.Errorf("%s: got %q, want %q: %v", f.fault, got.reason(), f.fetch, got.completion)
			}
		}
		if healthy := reads[fmt.Sprintf("sim-%04d", len(faults)+1)]; len(healthy.objects) == 0 || healthy.reason() != "" {
			t.Errorf("the healthy cluster is not whole: %v", healthy.completion)
		}
	})
	t.Run("in text that is safe for a terminal", func(t *testing.T) {
		for _, args := range [][]string{{"probe", "-o", "wide"}, {"clusters", "-o", "wide"}} {
			r := a.Fleetctl(t, args...)
			for _, c := range r.Stdout + r.Stderr {
				if unicode.IsControl(c) && c != '\n' || unicode.Is(unicode.Bidi_Control, c) {
					t.Errorf("%q prints %U", args, c)
				}
			}
		}
	})
}
