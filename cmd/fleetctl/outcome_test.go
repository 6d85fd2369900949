package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

type (
	probeServer = grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]
	fetchServer = grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]

	hibernationServer = grpc.ServerStreamingServer[fleetv1.SummarizeHibernationResponse]
)

// oneOfThree sends the first of three results and then waits as hold does.
func oneOfThree(hold func(context.Context)) clienttest.Script {
	script := firstProbe(func(out probeServer) error {
		hold(out.Context())
		return nil
	})
	script.FetchManifests = func(_ *fleetv1.FetchManifestsRequest, out fetchServer) error {
		batch := &fleetv1.ManifestBatch{
			Cluster: "first", Kind: "Pod", Manifests: []*fleetv1.Manifest{{Name: "a", Json: "{}"}},
			Table:      &fleetv1.Table{Columns: []*fleetv1.Table_Column{{Name: "Name"}}, Rows: []*fleetv1.Table_Row{{Cells: []string{"a"}}}},
			Completion: &fleetv1.Completion{},
		}
		err := errors.Join(
			out.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Started{Started: &fleetv1.Started{Expected: 3}}}),
			out.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Batch{Batch: batch}}))
		hold(out.Context())
		return err
	}
	script.SummarizeHibernation = func(_ *fleetv1.SummarizeHibernationRequest, out hibernationServer) error {
		result := &fleetv1.HibernationResult{Cluster: "first", Groups: []*fleetv1.HibernationGroup{{}}, Completion: &fleetv1.Completion{}}
		err := errors.Join(
			out.Send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Started{Started: &fleetv1.Started{Expected: 3}}}),
			out.Send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Result{Result: result}}))
		hold(out.Context())
		return err
	}
	script.WatchClusterHealth = func(_ *fleetv1.WatchClusterHealthRequest, out watchServer) error {
		err := sendAll(out, started(true), changed(&fleetv1.ClusterHealth{Cluster: "first"}))
		hold(out.Context())
		return err
	}
	return script
}

// firstProbe sends the first of three results and then does as rest does.
func firstProbe(rest func(probeServer) error) clienttest.Script {
	return clienttest.Script{ProbeClusters: func(_ *fleetv1.ProbeClustersRequest, out probeServer) error {
		if err := errors.Join(
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: &fleetv1.Started{Expected: 3}}}),
			out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: &fleetv1.ProbeResult{Cluster: "first"}}})); err != nil {
			return err
		}
		return rest(out)
	}}
}

func TestACallThatEndsBadlyPrintsWhatItFound(t *testing.T) {
	for name, test := range map[string]struct {
		rest func(probeServer) error
		code int
		says string
	}{
		"without summary": {func(probeServer) error { return nil }, exitFailed, "error: the aggregator ended the stream without a summary: results may be missing; 1 of 3 clusters answered before\n"},
		"in a shutdown": {
			func(probeServer) error { return status.Error(codes.Unavailable, "shutting down") }, exitFailed,
			"is not available: shutting down; 1 of 3 clusters answered before\n",
		},
		"at its deadline, without a word": {
			func(out probeServer) error {
				<-out.Context().Done()
				return status.FromContextError(context.DeadlineExceeded).Err()
			}, exitDeadline,
			"did not answer within 500ms (--timeout); 1 of 3 clusters answered before\n",
		},
		"at its deadline, with a summary": {
			func(out probeServer) error {
				return out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{
					Summary: &fleetv1.Summary{Expected: 3, Succeeded: 1, Failed: 1, NotAttempted: 1, DeadlineExceeded: true, Duration: durationpb.New(450 * time.Millisecond)},
				}})
			}, exitDeadline,
			"1 healthy, 1 failed, 1 not attempted of 3 in 450ms\nerror: the time of 500ms ran out (--timeout): 2 of 3 clusters have no whole result\n",
		},
		"at its deadline, with failures that are found": {
			func(out probeServer) error {
				failing := func(name string, state fleetv1.Verdict_State, code codes.Code) *fleetv1.ProbeClustersResponse {
					return &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: &fleetv1.ProbeResult{
						Cluster: name, Error: failed(code, "why", "X"), Observation: &fleetv1.Observation{Verdict: &fleetv1.Verdict{State: state}},
					}}}
				}
				return errors.Join(
					out.Send(failing("refused", fleetv1.Verdict_STATE_UNREACHABLE, codes.Unavailable)),
					out.Send(failing("slow", fleetv1.Verdict_STATE_UNREACHABLE, codes.DeadlineExceeded)),
					out.Send(failing("cut", fleetv1.Verdict_STATE_UNKNOWN, codes.DeadlineExceeded)),
					out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{
						Summary: &fleetv1.Summary{Expected: 4, Succeeded: 1, Failed: 3, DeadlineExceeded: true},
					}}))
			}, exitDeadline,
			"error: the time of 500ms ran out (--timeout): 1 of 4 clusters have no whole result\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := clienttest.Serve(t, firstProbe(test.rest))
			stdout, stderr, code := fleetctl(t.Context(), t, "probe", "--server", address, "--timeout", "500ms")
			if code != test.code || !strings.HasSuffix(stderr, test.says) || !strings.Contains(stdout, "\nfirst ") {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

func TestErrorsOfTheCallAreOneLineAndACode(t *testing.T) {
	detailed := func(code codes.Code, message string, details ...protoadapt.MessageV1) error {
		s, err := status.New(code, message).WithDetails(details...)
		if err != nil {
			t.Fatal(err)
		}
		return s.Err()
	}
	hint := &errdetails.ErrorInfo{Domain: "clusterfleet", Reason: "X", Metadata: map[string]string{"hint": "do this"}}
	for name, test := range map[string]struct {
		err  error
		code int
		says string
	}{
		"not authenticated": {detailed(codes.Unauthenticated, "no certificate", hint), exitUnauthenticated, "does not know the caller: no certificate; do this"},
		"not permitted":     {status.Error(codes.PermissionDenied, "you may not"), exitFailed, "error: you may not"},
		"too many calls": {
			detailed(codes.ResourceExhausted, "too many calls", &errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)}),
			exitFailed, "error: too many calls; try again in 1.5s",
		},
		"an invalid request": {
			detailed(codes.InvalidArgument, "per_cluster_timeout: too long; a.b: too short", &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: "per_cluster_timeout", Description: "too long"}, {Field: "selector.names[3]", Description: "too many"}, {Field: "a.b", Description: "too short"},
			}}),
			exitUsage, "error: --per-cluster-timeout: too long; the clusters' names: too many; a.b: too short",
		},
		"an invalid request, without details": {status.Error(codes.InvalidArgument, "no: way"), exitUsage, "error: no: way"},
		"data of Secrets":                     {status.Error(codes.PermissionDenied, "output.secret_data: not sent"), exitFailed, "error: --show-secret-data: not sent"},
		"another server":                      {status.Error(codes.Unimplemented, "unknown service"), exitFailed, "does not offer this call; is it an aggregator, and not older than fleetctl? (unknown service)"},
		"several lines":                       {status.Error(codes.Internal, "one\ntwo\x1b[31m"), exitFailed, `error: one\ntwo\x1b[31m`},
	} {
		t.Run(name, func(t *testing.T) {
			address := clienttest.Serve(t, clienttest.Script{ProbeClusters: func(*fleetv1.ProbeClustersRequest, probeServer) error { return test.err }})
			stdout, stderr, code := fleetctl(t.Context(), t, "probe", "--server", address)
			if code != test.code || stdout != "" || !strings.HasSuffix(stderr, test.says+"\n") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// TestASignalEndsTheCallAtOnce sends a signal to fleetctl as a process, once the first result was sent, and printed where
// it is printed at once.
func TestASignalEndsTheCallAtOnce(t *testing.T) {
	for sent, ends := range map[syscall.Signal]struct {
		code int
		says string
	}{
		syscall.SIGINT:  {exitInterrupted, "error: interrupted"},
		syscall.SIGTERM: {exitTerminated, "error: terminated"},
	} {
		t.Run(sent.String(), func(t *testing.T) { testSignal(t, sent, ends.code, ends.says) })
	}
}

func testSignal(t *testing.T, sent syscall.Signal, code int, says string) {
	t.Helper()
	for line, test := range map[string]struct{ first, all string }{
		"probe":                    {},
		"get pods":                 {},
		"probe --watch":            {},
		"hibernation":              {},
		"hibernation -o name":      {"first", "first\n"},
		"watch":                    {},
		"watch -o name":            {"first", "first\n"},
		"wait --for=state=unknown": {"first", ""},
		"probe -o jsonl":           {"first", "{\"started\":{\"expected\":3}}\n{\"result\":{\"cluster\":\"first\"}}\n"},
		"get pods -o name":         {"first", "first\tpod/a\n"},
		"get pods -o jsonl":        {"first", `{"kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"first"}}}` + "\n"},
		"get pods -o yaml": {"first", "apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: \"\"\nitems:\n" +
			"- kind: Pod\n  metadata:\n    annotations:\n      clusterfleet.io/cluster: first\n"},
		"get pods -o json": {"first", "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    },\n" +
			"    \"items\": [\n        {\"kind\":\"Pod\",\"metadata\":{\"annotations\":{\"clusterfleet.io/cluster\":\"first\"}}}\n    ]\n}\n"},
	} {
		t.Run(line, func(t *testing.T) {
			waiting, ended := make(chan struct{}), make(chan struct{})
			address := clienttest.Serve(t, oneOfThree(func(ctx context.Context) {
				close(waiting)
				<-ctx.Done()
				close(ended)
			}))
			cmd := exec.CommandContext(t.Context(), "fleetctl", append(strings.Fields(line), "--server", address)...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-waiting
			var got []byte
			for buffer := make([]byte, 4096); !strings.Contains(string(got), test.first); {
				n, err := stdout.Read(buffer)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, buffer[:n]...)
			}
			if err := cmd.Process.Signal(sent); err != nil {
				t.Fatal(err)
			}
			<-ended
			rest, err := io.ReadAll(stdout)
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != code || !strings.HasPrefix(stderr.String(), says) {
				t.Errorf("exit code %d: %s", got, stderr.String())
			}
			if diff := cmp.Diff(test.all, string(got)+string(rest)); test.all != "" && diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONLinesComeAsTheyAreSent(t *testing.T) {
	read := make(chan struct{})
	address := clienttest.Serve(t, firstProbe(func(out probeServer) error {
		select { // The call goes on only once its first result is printed.
		case <-read:
		case <-out.Context().Done():
		}
		return out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: &fleetv1.Summary{Expected: 3, Succeeded: 3}}})
	}))
	cmd := exec.CommandContext(t.Context(), "fleetctl", "probe", "-o", "jsonl", "--server", address)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		if lines = append(lines, scanner.Text()); len(lines) == 2 {
			close(read)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	want := []string{`{"started":{"expected":3}}`, `{"result":{"cluster":"first"}}`, `{"summary":{"expected":3,"succeeded":3,"failed":0,"skipped":0,"truncated":0,"notAttempted":0,"items":"0","bytes":"0","deadlineExceeded":false,"throttled":0}}`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestAReaderThatHasEnoughEndsTheProgramQuietly(t *testing.T) {
	t.Run("as a process", func(t *testing.T) {
		address := clienttest.Serve(t, fleet{members: testFleet()}.script())
		cmd := exec.CommandContext(t.Context(), "fleetctl", "get", "pods", "-A", "--state", "healthy", "-o", "jsonl", "--server", address)
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = writer, &stderr
		reader.Close()
		err = cmd.Run()
		writer.Close()
		if err == nil || stderr.String() != "" {
			t.Errorf("error %v, stderr %q", err, stderr.String())
		}
	})
	for _, line := range []string{"probe", "probe -o jsonl", "get pods -A", "get pods -A -o json", "clusters", "watch", "watch -o jsonl", "history", "overview", "api-resources", "wait --for=state=HEALTHY", "hibernation", "hibernation -o name"} {
		t.Run(line, func(t *testing.T) {
			address := clienttest.Serve(t, fleet{members: testFleet()}.script())
			var stderr strings.Builder
			code := run(t.Context(), append(strings.Fields(line), "--server", address), failingWriter{syscall.EPIPE}, &stderr)
			if code != exitFailed || stderr.String() != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr.String())
			}
		})
	}
}
