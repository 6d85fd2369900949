package test_test

import (
	"strings"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func allHealthy(t *testing.T, fleet *realkube.Fleet) {
	a := programs.Aggregator(t, fleet.Kubeconfig, product.Unwatched)
	t.Run("probe finds nothing wrong", func(t *testing.T) {
		r := a.Fleetctl(t, "probe")
		exits(t, r, 0, "CLUSTER", "")
		for _, server := range fleet.Servers {
			line := lineOf(r.Stdout, server.Name)
			if len(line) < 5 || line[1] != "HEALTHY" || !strings.HasPrefix(line[4], "v1.") {
				t.Errorf("%s: got %q", server.Name, line)
			}
		}
	})
	t.Run("a full probe makes all checks", func(t *testing.T) {
		results, summary := probe(t, a, 0)
		if summary.GetExpected() != 3 || summary.GetSucceeded() != 3 {
			t.Errorf("got %v", summary)
		}
		for _, server := range fleet.Servers {
			fullyHealthy(t, results[server.Name])
		}
	})
	t.Run("a quick probe asks for readiness only", func(t *testing.T) {
		results, _ := probe(t, a, 0, "--quick")
		for _, server := range fleet.Servers {
			verdict(t, results[server.Name], fleetv1.Verdict_STATE_HEALTHY, 0)
			v := results[server.Name].GetObservation().GetVerdict()
			if len(v.GetChecks()) != 1 || v.GetChecks()[0].GetKind() != fleetv1.Check_KIND_READY || v.GetDepth() != fleetv1.Verdict_DEPTH_QUICK {
				t.Errorf("%s: got %v", server.Name, v)
			}
		}
	})
	t.Run("clusters shows what was found", func(t *testing.T) {
		r := a.Fleetctl(t, "clusters", "-o", "wide")
		exits(t, r, 0, "NAME", "")
		for _, server := range fleet.Servers {
			if line := strings.Join(lineOf(r.Stdout, server.Name), " "); !strings.Contains(line, "HEALTHY") || !strings.Contains(line, server.URL) {
				t.Errorf("%s: got %q", server.Name, line)
			}
		}
		exits(t, a.Fleetctl(t, "clusters", "-o", "name"), 0, "real-1\nreal-2\nreal-3\n", "")
	})
	t.Run("what does not exist is told in one line", func(t *testing.T) {
		for _, c := range []struct {
			args   []string
			code   int
			stderr string
		}{
			{[]string{"probe", "real-9"}, 2, `"real-9"`},
			{[]string{"probe", "-l", "a in b"}, 2, "a in b"},
			{[]string{"get", "configmaps", "-A", "--cluster", "real-9"}, 2, `"real-9"`},
		} {
			r := a.Fleetctl(t, c.args...)
			exits(t, r, c.code, "", c.stderr)
			if r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 {
				t.Errorf("%q: got stdout %q, stderr %q", c.args, r.Stdout, r.Stderr)
			}
		}
	})
}

// fullyHealthy checks what a full probe of a real API server tells of it.
func fullyHealthy(t *testing.T, r *fleetv1.ProbeResult) {
	t.Helper()
	verdict(t, r, fleetv1.Verdict_STATE_HEALTHY, 0)
	v := r.GetObservation().GetVerdict()
	passed := map[fleetv1.Check_Kind]bool{}
	for _, check := range v.GetChecks() {
		if check.GetKind() == fleetv1.Check_KIND_DNS { // the servers are named by their addresses
			continue
		}
		if check.GetOutcome() != fleetv1.Check_OUTCOME_PASSED || check.GetDuration().AsDuration() <= 0 {
			t.Errorf("%s: got %v", r.GetCluster(), check)
		}
		passed[check.GetKind()] = true
	}
	for _, kind := range []fleetv1.Check_Kind{
		fleetv1.Check_KIND_TCP, fleetv1.Check_KIND_TLS, fleetv1.Check_KIND_READY,
		fleetv1.Check_KIND_VERSION, fleetv1.Check_KIND_AUTHN, fleetv1.Check_KIND_AUTHZ,
	} {
		if !passed[kind] {
			t.Errorf("%s: no check %s in %v", r.GetCluster(), kind, v.GetChecks())
		}
	}
	if !strings.HasPrefix(v.GetServerVersion(), "v1.") || v.GetUsername() != "admin" {
		t.Errorf("%s: got version %q and user %q", r.GetCluster(), v.GetServerVersion(), v.GetUsername())
	}
	if len(v.GetExpiries()) == 0 || v.GetExpiries()[0].GetKind() != fleetv1.Expiry_KIND_SERVING_CERTIFICATE {
		t.Errorf("%s: got expiries %v", r.GetCluster(), v.GetExpiries())
	}
	if v.GetClockSkew() == nil || v.GetClockSkew().AsDuration().Abs() > 2*time.Second {
		t.Errorf("%s: the clock of this machine is off by %v", r.GetCluster(), v.GetClockSkew())
	}
}

// lineOf returns the words of the line that begins with the name, nil if there is none.
func lineOf(text, name string) []string {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == name {
			return words
		}
	}
	return nil
}
