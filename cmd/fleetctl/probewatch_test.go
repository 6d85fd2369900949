package main

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// rounds serves a probe of the given clusters after the other; then the caller may not ask any more.
func rounds(probes ...[]*fleetv1.ClusterHealth) clienttest.Script {
	var made atomic.Int32
	return clienttest.Script{ProbeClusters: func(_ *fleetv1.ProbeClustersRequest, out probeServer) error {
		n := int(made.Add(1))
		if n > len(probes) {
			return status.Error(codes.PermissionDenied, "enough")
		}
		if probes[n-1] == nil {
			return status.Error(codes.ResourceExhausted, "busy")
		}
		events := []*fleetv1.ProbeClustersResponse{{Event: &fleetv1.ProbeClustersResponse_Started{Started: &fleetv1.Started{}}}}
		for _, h := range probes[n-1] {
			events = append(events, &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{
				Result: &fleetv1.ProbeResult{Cluster: h.GetCluster(), Observation: h.GetObservation()},
			}})
		}
		summary := &fleetv1.Summary{Expected: int32(len(probes[n-1])), Succeeded: int32(len(probes[n-1])), DeadlineExceeded: n == 3}
		events = append(events, &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: summary}})
		for _, event := range events {
			if err := out.Send(event); err != nil {
				return err
			}
		}
		return nil
	}}
}

func TestARepeatedProbePrintsWhatHasChanged(t *testing.T) {
	well, bad := fleetv1.Verdict_STATE_HEALTHY, fleetv1.Verdict_STATE_UNREACHABLE
	probes := [][]*fleetv1.ClusterHealth{
		{condition("b", bad), condition("a", well)},
		{condition("a", well), condition("b", bad)},
		{condition("a", well), condition("b", well)},
		nil,
		{condition("b", well), condition("new", bad)},
	}
	for format, want := range map[string]string{
		"table": "CLUSTER   STATE         REASON            LATENCY   VERSION   MESSAGE\n" +
			"a         HEALTHY       -                 -         -         -\n" +
			"b         UNREACHABLE   CONNECT_TIMEOUT   -         -         no answer\n" +
			"2026-11-22T12:00:00Z   b     UNREACHABLE→HEALTHY        -                    -\n" +
			"2026-11-22T12:00:00Z   new   UNREACHABLE                CONNECT_TIMEOUT      no answer\n" +
			"NOW   a     REMOVED                    -                    -\n",
		"name": "b\na\nb\nnew\na\n",
	} {
		t.Run(format, func(t *testing.T) {
			stdout, stderr, code := fleetctl(t.Context(), t, "probe", "--watch", "--interval", "100ms", "-o", format, "--server", clienttest.Serve(t, rounds(probes...)))
			if diff := cmp.Diff(want, atAnyTime(stdout)); diff != "" || code != exitFailed {
				t.Errorf("exit code %d, stdout (-want +got):\n%s", code, diff)
			}
			wantErr := "warning: this round: the time of 1m0s ran out (--timeout): 0 of 2 clusters have no whole result\nwarning: this round: busy\nerror: enough\n"
			if !strings.HasSuffix(stderr, wantErr) {
				t.Errorf("stderr %q", stderr)
			}
		})
	}
	t.Run("jsonl", func(t *testing.T) {
		stdout, _, _ := fleetctl(t.Context(), t, "probe", "--watch", "--interval", "100ms", "-o", "jsonl", "--server", clienttest.Serve(t, rounds(probes...)))
		var kinds []string
		for line := range strings.Lines(stdout) {
			kinds = append(kinds, line[2:strings.IndexByte(line, ':')-1])
		}
		if diff := cmp.Diff([]string{"started", "result", "result", "summary", "result", "result"}, kinds); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

func TestARepeatedProbeEndsWithItsTimeOrWhereNothingIsSelected(t *testing.T) {
	well := []*fleetv1.ClusterHealth{condition("a", fleetv1.Verdict_STATE_HEALTHY)}
	address := clienttest.Serve(t, rounds(well, well, well, well, well, well, well, well, well, well, well, well))
	_, stderr, code := fleetctl(t.Context(), t, "probe", "--watch", "--interval", "300ms", "--timeout", "1s", "--server", address)
	if code != exitDeadline || !strings.HasSuffix(stderr, "error: the time of 1s ran out (--timeout)\n") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	_, stderr, code = fleetctl(t.Context(), t, "probe", "--watch", "--server", clienttest.Serve(t, rounds([]*fleetv1.ClusterHealth{})))
	if code != exitUnhealthy || stderr != noClusters+"\n" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A round that its time cuts short knows nothing new of the clusters that it did not get to.
func TestARepeatedProbeTellsNothingOfClustersThatARoundHadNoTimeFor(t *testing.T) {
	for name, c := range map[string]struct {
		flags    []string
		stderr   string
		exitCode int
	}{
		"where the time is the round's": {
			nil,
			"warning: this round: the time of 1m0s ran out (--timeout): 1 of 1 clusters have no whole result\nerror: enough\n", exitFailed,
		},
		"where it is the command's": {[]string{"--timeout", "30s"}, "error: the time of 30s ran out (--timeout)\n", exitDeadline},
	} {
		t.Run(name, func(t *testing.T) {
			address := clienttest.Serve(t, cutShort())
			stdout, stderr, code := fleetctl(t.Context(), t, append([]string{"probe", "--watch", "--interval", "100ms", "-o", "name", "--server", address}, c.flags...)...)
			if stdout != "a\n" || !strings.HasSuffix(stderr, c.stderr) || strings.Count(stderr, "\n") > strings.Count(c.stderr, "\n")+1 || code != c.exitCode {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// cutShort serves a whole round, and one that has no time for its cluster.
func cutShort() clienttest.Script {
	var made atomic.Int32
	return clienttest.Script{ProbeClusters: func(_ *fleetv1.ProbeClustersRequest, out probeServer) error {
		n := made.Add(1)
		if n > 2 {
			return status.Error(codes.PermissionDenied, "enough")
		}
		result := &fleetv1.ProbeResult{Cluster: "a", Observation: condition("a", fleetv1.Verdict_STATE_HEALTHY).GetObservation()}
		if n == 2 {
			result.Observation = condition("a", fleetv1.Verdict_STATE_UNKNOWN).GetObservation()
			result.Error = failed(codes.DeadlineExceeded, "the call's time ran out", "NOT_ATTEMPTED")
		}
		return errors.Join(
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: &fleetv1.Started{Expected: 1}}}),
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: result}}),
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{
				Summary: &fleetv1.Summary{Expected: 1, DeadlineExceeded: n == 2},
			}}))
	}}
}

func TestAWatchedClusterThatLeavesTheFleetIsNoMistakeOfTheCommandLine(t *testing.T) {
	var calls atomic.Int32
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: func(_ *fleetv1.ProbeClustersRequest, out probeServer) error {
		if calls.Add(1) > 1 {
			return status.ErrorProto(failed(codes.NotFound, "the fleet has no cluster a", "CLUSTER_NOT_FOUND"))
		}
		return errors.Join(
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: &fleetv1.Started{Expected: 1}}}),
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: &fleetv1.ProbeResult{Cluster: "a"}}}),
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: &fleetv1.Summary{Expected: 1, Succeeded: 1}}}))
	}})
	_, stderr, code := fleetctl(t.Context(), t, "probe", "--watch", "--interval", "100ms", "a", "--server", address)
	if code != exitFailed || !strings.Contains(stderr, "error: the fleet has no cluster a;") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
