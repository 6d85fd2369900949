package main

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// monitoredFleet lists clusters, and what the monitor knows of some of them.
func monitoredFleet(health ...*fleetv1.ClusterHealth) clienttest.Script {
	f := fleet{members: []member{healthyMember("a"), healthyMember("b"), healthyMember("unmonitored")}}
	return clienttest.Script{
		ListClusters: f.list,
		ListClusterHealth: func(context.Context, *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error) {
			return &fleetv1.ListClusterHealthResponse{Clusters: health}, nil
		},
	}
}

func TestClustersAreJoinedWithTheirHealth(t *testing.T) {
	cutOff := condition("a", fleetv1.Verdict_STATE_HEALTHY)
	cutOff.State, cutOff.ObserverSuspect, cutOff.Restored = fleetv1.Verdict_STATE_UNKNOWN, true, true
	failing := condition("b", fleetv1.Verdict_STATE_UNREACHABLE)
	failing.State, failing.KnownState = fleetv1.Verdict_STATE_HEALTHY, fleetv1.Verdict_STATE_HEALTHY
	gone := condition("gone", fleetv1.Verdict_STATE_HEALTHY)
	for _, h := range []*fleetv1.ClusterHealth{cutOff, failing, gone} {
		h.Observation.Age = durationpb.New(7 * time.Second)
	}
	address := clienttest.Serve(t, monitoredFleet(cutOff, failing, gone))
	for state, want := range map[string]string{
		"": "NAME          STATE                   REASON            AGE   SINCE   VERSION   FLAGS\n" +
			"a             UNKNOWN (was HEALTHY)   -                 7s    67s     -         observer-suspect,restored\n" +
			"b             HEALTHY                 CONNECT_TIMEOUT   7s    67s     -         unconfirmed\n" +
			"gone          HEALTHY                 -                 7s    67s     -         -\n" +
			"unmonitored   HEALTHY                 -                 12s   -       -         -\n",
		// Which clusters are in the state, the monitor says, whatever was observed last.
		"unknown": "NAME   STATE                   REASON            AGE   SINCE   VERSION   FLAGS\n" +
			"a      UNKNOWN (was HEALTHY)   -                 7s    67s     -         observer-suspect,restored\n" +
			"b      HEALTHY                 CONNECT_TIMEOUT   7s    67s     -         unconfirmed\n" +
			"gone   HEALTHY                 -                 7s    67s     -         -\n",
	} {
		stdout, stderr, code := fleetctl(t.Context(), t, "clusters", "--state="+state, "--server", address)
		if diff := cmp.Diff(want, stdout); diff != "" || code != exitDone {
			t.Errorf("--state=%s: exit code %d: %s\nstdout (-want +got):\n%s", state, code, stderr, diff)
		}
	}
}

func TestTheDefinitionIsThereWhateverStateWasObservedLast(t *testing.T) {
	address := clienttest.Serve(t, monitoredFleet(condition("a", fleetv1.Verdict_STATE_DEGRADED)))
	stdout, stderr, code := fleetctl(t.Context(), t, "clusters", "--state", "degraded", "-o", "jsonpath={.items[*].server} {.items[*].health.state}", "--server", address)
	if stdout != "https://test.example:6443 STATE_DEGRADED" || code != exitDone {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestClustersThatNobodyMonitorsAreListed(t *testing.T) {
	for code, want := range map[codes.Code]string{codes.Unimplemented: "prod-3\n", codes.FailedPrecondition: "prod-3\n", codes.PermissionDenied: ""} {
		script := fleet{members: testFleet()}.script()
		script.ListClusterHealth = func(context.Context, *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error) {
			return nil, status.Error(code, "not here")
		}
		stdout, stderr, exit := fleetctl(t.Context(), t, "clusters", "--state", "unreachable", "-o", "name", "--server", clienttest.Serve(t, script))
		if stdout != want || (stderr == "") != (want != "") || (exit == exitDone) != (want != "") {
			t.Errorf("%s: exit code %d\n%s%s", code, exit, stdout, stderr)
		}
	}
}

func TestAPartOfTheTimeIsNeverRoundedUp(t *testing.T) {
	for part, want := range map[float64]string{0: "0%", 1: "100%", 0.999999: "99.99%", 0.9995: "99.95%", 0.5: "50%", 0.29: "29%", 0.12345: "12.34%"} {
		if got := percent(&part); got != want {
			t.Errorf("%v is %s, want %s", part, got, want)
		}
	}
	if got := percent(nil); got != "-" {
		t.Errorf("what is not known is %s", got)
	}
}
