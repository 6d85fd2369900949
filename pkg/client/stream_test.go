package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

type (
	probeRequest = fleetv1.ProbeClustersRequest
	probeServer  = grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]
)

func probeStarted(expected int32) *fleetv1.ProbeClustersResponse {
	return &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: &fleetv1.Started{Expected: expected}}}
}

func probeResult(cluster string) *fleetv1.ProbeClustersResponse {
	return &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: &fleetv1.ProbeResult{Cluster: cluster}}}
}

func probeSummary(succeeded int32) *fleetv1.ProbeClustersResponse {
	return &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{
		Summary: &fleetv1.Summary{Expected: succeeded, Succeeded: succeeded},
	}}
}

// send is a script that sends messages and then ends with err.
func send(err error, messages ...*fleetv1.ProbeClustersResponse) func(*probeRequest, probeServer) error {
	return func(_ *probeRequest, out probeServer) error {
		for _, m := range messages {
			if err := out.Send(m); err != nil {
				return err
			}
		}
		return err
	}
}

func collect(s *client.ProbeStream) (names []string, err error) {
	for result, err := range s.Results() {
		if err != nil {
			return names, err
		}
		names = append(names, result.GetCluster())
	}
	return names, nil
}

func TestAStreamYieldsResultsBetweenStartedAndSummary(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{
		ProbeClusters: send(nil, probeStarted(2), probeResult("b"), probeResult("a"), probeSummary(2)),
	})
	probes := dial(t, address).ProbeClusters(t.Context(), &probeRequest{})
	if probes.Started() != nil || probes.Summary() != nil {
		t.Error("something is known before the call")
	}
	var names []string
	for result, err := range probes.Results() {
		if err != nil {
			t.Fatal(err)
		}
		if got := probes.Started().GetExpected(); got != 2 {
			t.Errorf("expected %d results at the first one", got)
		}
		names = append(names, result.GetCluster())
	}
	if diff := cmp.Diff([]string{"b", "a"}, names); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(probeSummary(2).GetSummary(), probes.Summary(), protocmp.Transform()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestEventsAreTheMessagesAsSent(t *testing.T) {
	want := []*fleetv1.ProbeClustersResponse{probeStarted(1), probeResult("a"), probeSummary(1)}
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: send(nil, want...)})
	var got []*fleetv1.ProbeClustersResponse
	for event, err := range dial(t, address).ProbeClusters(t.Context(), &probeRequest{}).Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestOtherStreamsYieldBatchesReferencesAndHibernation(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{
		FetchManifests: func(_ *fleetv1.FetchManifestsRequest, out grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error {
			return errors.Join(
				out.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Batch{Batch: &fleetv1.ManifestBatch{Cluster: "a"}}}),
				out.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Summary{Summary: &fleetv1.Summary{}}}))
		},
		GetManifests: func(_ *fleetv1.GetManifestsRequest, out grpc.ServerStreamingServer[fleetv1.GetManifestsResponse]) error {
			return errors.Join(
				out.Send(&fleetv1.GetManifestsResponse{Event: &fleetv1.GetManifestsResponse_Result{Result: &fleetv1.ReferenceResult{Index: 7}}}),
				out.Send(&fleetv1.GetManifestsResponse{Event: &fleetv1.GetManifestsResponse_Summary{Summary: &fleetv1.Summary{}}}))
		},
		SummarizeHibernation: func(_ *fleetv1.SummarizeHibernationRequest, out grpc.ServerStreamingServer[fleetv1.SummarizeHibernationResponse]) error {
			return errors.Join(
				out.Send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Result{Result: &fleetv1.HibernationResult{Cluster: "b"}}}),
				out.Send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Summary{Summary: &fleetv1.Summary{}}}))
		},
	})
	c := dial(t, address)
	var clusters []string
	for batch, err := range c.FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{}).Results() {
		if err != nil {
			t.Fatal(err)
		}
		clusters = append(clusters, batch.GetCluster())
	}
	var indexes []int32
	for result, err := range c.GetManifests(t.Context(), &fleetv1.GetManifestsRequest{}).Results() {
		if err != nil {
			t.Fatal(err)
		}
		indexes = append(indexes, result.GetIndex())
	}
	for result, err := range c.SummarizeHibernation(t.Context(), &fleetv1.SummarizeHibernationRequest{}).Results() {
		if err != nil {
			t.Fatal(err)
		}
		clusters = append(clusters, result.GetCluster())
	}
	if !cmp.Equal(clusters, []string{"a", "b"}) || !cmp.Equal(indexes, []int32{7}) {
		t.Errorf("batches of %q, references %d", clusters, indexes)
	}
}

func TestAStreamWithoutSummaryIsIncomplete(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: send(nil, probeStarted(2), probeResult("a"))})
	names, err := collect(dial(t, address).ProbeClusters(t.Context(), &probeRequest{}))
	if !errors.Is(err, client.ErrIncomplete) || !cmp.Equal(names, []string{"a"}) {
		t.Errorf("results %q, error %v", names, err)
	}
}

func TestAStreamIsRangedOverOnce(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: send(nil, probeSummary(0))})
	probes := dial(t, address).ProbeClusters(t.Context(), &probeRequest{})
	if _, err := collect(probes); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(probes); !errors.Is(err, client.ErrConsumed) {
		t.Errorf("the second range ends with %v", err)
	}
}

func TestBreakingTheLoopCancelsTheCallInTheServer(t *testing.T) {
	ended := make(chan error, 1)
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: func(req *probeRequest, out probeServer) error {
		err := send(nil, probeStarted(9), probeResult("a"))(req, out)
		<-out.Context().Done()
		ended <- out.Context().Err()
		return err
	}})
	probes := dial(t, address, client.WithTimeout(time.Hour)).ProbeClusters(t.Context(), &probeRequest{})
	for _, err := range probes.Results() {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the server's call ended with %v", err)
		}
	case <-time.After(10 * time.Second): // in a minute and a half the keepalive would end it
		t.Error("the server's call goes on")
	}
	if probes.Summary() != nil {
		t.Error("a stream that was left has a summary")
	}
}

func TestAStreamIsRetriedUntilItDeliversSomething(t *testing.T) {
	busy := status.Error(codes.Unavailable, "busy")
	for name, test := range map[string]struct {
		script func(call int32) func(*probeRequest, probeServer) error
		calls  int32
		want   []string
		code   codes.Code
	}{
		"busy once": {func(call int32) func(*probeRequest, probeServer) error {
			if call == 1 {
				return send(busy)
			}
			return send(nil, probeResult("a"), probeSummary(1))
		}, 2, []string{"a"}, codes.OK},
		"always busy":             {func(int32) func(*probeRequest, probeServer) error { return send(busy) }, 3, nil, codes.Unavailable},
		"broken after a start":    {func(int32) func(*probeRequest, probeServer) error { return send(busy, probeStarted(2)) }, 1, nil, codes.Unavailable},
		"broken after a result":   {func(int32) func(*probeRequest, probeServer) error { return send(busy, probeResult("a")) }, 1, []string{"a"}, codes.Unavailable},
		"another error":           {func(int32) func(*probeRequest, probeServer) error { return send(status.Error(codes.Aborted, "")) }, 1, nil, codes.Aborted},
		"error after its summary": {func(int32) func(*probeRequest, probeServer) error { return send(busy, probeSummary(0)) }, 1, nil, codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			address := clienttest.Serve(t, clienttest.Script{ProbeClusters: func(req *probeRequest, out probeServer) error {
				return test.script(calls.Add(1))(req, out)
			}})
			names, err := collect(dial(t, address).ProbeClusters(t.Context(), &probeRequest{}))
			if status.Code(err) != test.code || !cmp.Equal(names, test.want) || calls.Load() != test.calls {
				t.Errorf("%d calls, results %q, error %v", calls.Load(), names, err)
			}
		})
	}
}

func TestAMessageLargerThanTheDefaultOfGRPCArrives(t *testing.T) {
	name := strings.Repeat("x", 6<<20)
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: send(nil, probeResult(name), probeSummary(1))},
		grpc.MaxSendMsgSize(8<<20))
	names, err := collect(dial(t, address).ProbeClusters(t.Context(), &probeRequest{}))
	if err != nil || len(names) != 1 || len(names[0]) != len(name) {
		t.Errorf("%d results, error %v", len(names), err)
	}
}

func TestACallersContextEndsTheStream(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{ProbeClusters: func(req *probeRequest, out probeServer) error {
		if err := send(nil, probeResult("a"))(req, out); err != nil {
			return err
		}
		<-out.Context().Done()
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range dial(t, address).ProbeClusters(ctx, &probeRequest{}).Results() {
		cancel()
		last = err
	}
	if status.Code(last) != codes.Canceled {
		t.Errorf("the stream ended with %v", last)
	}
}

func TestAStreamThatDoesNotReachTheServerIsAConnectError(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	secure := clienttest.Serve(t, clienttest.Script{ProbeClusters: send(nil, probeStarted(0), probeSummary(0))},
		authority.Server(t, "fleet.example", tls.NoClientCert))
	for name, address := range map[string]string{"plaintext to TLS": secure, "nobody listens": closedPort(t)} {
		_, err := collect(dial(t, address).ProbeClusters(t.Context(), &probeRequest{}))
		var unreachable *client.ConnectError
		if !errors.As(err, &unreachable) || errors.Is(err, client.ErrIncomplete) {
			t.Errorf("%s: the error is %v, want a ConnectError", name, err)
		}
	}
}
