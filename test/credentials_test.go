package test_test

import (
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func wrongCredentials(t *testing.T, fleet *realkube.Fleet) {
	one, two := fleet.Servers[0], fleet.Servers[1]
	wrongCA := contextOf("wrong-ca", one)
	wrongCA.cluster["certificate-authority"] = two.CAFile
	wrongName := contextOf("wrong-name", one)
	wrongName.cluster["tls-server-name"] = "elsewhere.example.com"
	a := programs.Aggregator(t, writeKubeconfig(t,
		contextOf("good-1", one), contextOf("good-2", two),
		contextOf("wrong-token", one).token(two.Token), wrongCA, wrongName))

	results, summary := probe(t, a, 3)
	if summary.GetSucceeded() != 2 || summary.GetFailed() != 3 {
		t.Errorf("got %v", summary)
	}
	fullyHealthy(t, results["good-1"])
	fullyHealthy(t, results["good-2"])
	verdict(t, results["wrong-token"], fleetv1.Verdict_STATE_UNAUTHORIZED, fleetv1.Verdict_REASON_UNAUTHENTICATED)
	verdict(t, results["wrong-ca"], fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_REASON_TLS_UNKNOWN_AUTHORITY)
	verdict(t, results["wrong-name"], fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_REASON_TLS_HOSTNAME_MISMATCH)

	r := a.Fleetctl(t, "probe")
	for name, reason := range map[string]string{
		"wrong-token": "UNAUTHENTICATED", "wrong-ca": "TLS_UNKNOWN_AUTHORITY", "wrong-name": "TLS_HOSTNAME_MISMATCH",
	} {
		if line := lineOf(r.Stdout, name); len(line) < 3 || line[2] != reason {
			t.Errorf("%s: got %q", name, line)
		}
	}

	reads, _ := fetch(t, a, &fleetv1.FetchManifestsRequest{ResourceType: &fleetv1.ResourceType{Resource: "namespaces"}})
	for name, reason := range map[string]string{
		"good-1": "", "good-2": "",
		"wrong-token": "UNAUTHENTICATED", "wrong-ca": "TLS_UNKNOWN_AUTHORITY", "wrong-name": "TLS_HOSTNAME_MISMATCH",
	} {
		if reads[name].reason() != reason {
			t.Errorf("%s: reading ended with %v, want %q", name, reads[name].completion.GetError(), reason)
		}
	}
}
