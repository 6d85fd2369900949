package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/server"
)

// serve serves the fleet until the test ends and returns a connection to it.
func serve(t testing.TB, f *fleet.Fleet, options server.Options) *grpc.ClientConn {
	t.Helper()
	s, err := server.New(f, options)
	if err != nil {
		t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Shutdown(), <-served); err != nil {
			t.Error(err)
		}
	})
	return dial(t, listener)
}

// dial returns a connection that is closed when the test ends.
func dial(t testing.TB, listener *bufconn.Listener, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:///fleet", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // a test may have closed it
	return conn
}

// receive returns all messages of a stream and the error that ended it, nil for a good end.
func receive[M any](t testing.TB, stream grpc.ServerStreamingClient[M], err error) ([]*M, error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var all []*M
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, message)
	}
}

// probed is a whole stream of probes.
type probed struct {
	expected int
	results  map[string]*fleetv1.ProbeResult
	summary  *fleetv1.Summary
}

// probe makes the call and checks the shape of its stream.
func probe(ctx context.Context, t testing.TB, conn *grpc.ClientConn, r *fleetv1.ProbeClustersRequest) probed {
	t.Helper()
	stream, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(ctx, r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatalf("the stream ended with %v", err)
	}
	p := probed{results: make(map[string]*fleetv1.ProbeResult)}
	for i, m := range messages {
		switch event := m.GetEvent().(type) {
		case *fleetv1.ProbeClustersResponse_Started:
			mustBe(t, i, 0)
			p.expected = int(event.Started.GetExpected())
		case *fleetv1.ProbeClustersResponse_Result:
			if p.results[event.Result.GetCluster()] != nil {
				t.Errorf("%s came twice", event.Result.GetCluster())
			}
			p.results[event.Result.GetCluster()] = event.Result
		case *fleetv1.ProbeClustersResponse_Summary:
			mustBe(t, i, len(messages)-1)
			p.summary = event.Summary
		}
	}
	if len(p.results) != p.expected || p.expected+2 != len(messages) {
		t.Errorf("%d messages, %d results, %d expected", len(messages), len(p.results), p.expected)
	}
	mustAddUp(t, p.summary, p.expected)
	return p
}

func mustBe(t testing.TB, at, want int) {
	t.Helper()
	if at != want {
		t.Errorf("message %d should be message %d", at, want)
	}
}

func mustAddUp(t testing.TB, s *fleetv1.Summary, expected int) {
	t.Helper()
	if s == nil {
		t.Fatal("there is no summary")
	}
	sum := s.GetSucceeded() + s.GetFailed() + s.GetSkipped() + s.GetTruncated() + s.GetNotAttempted()
	if int(s.GetExpected()) != expected || int(sum) != expected || s.GetDuration().AsDuration() <= 0 {
		t.Errorf("%d expected, the summary says %v", expected, s)
	}
}

// fetchedCluster is what came of one cluster.
type fetchedCluster struct {
	names      map[string]int
	items      int
	completion *fleetv1.Completion
}

type fetched struct {
	clusters map[string]*fetchedCluster
	summary  *fleetv1.Summary
	largest  int
}

// collect checks the shape of a stream of batches.
func collect(t testing.TB, messages []*fleetv1.FetchManifestsResponse) fetched {
	t.Helper()
	result := fetched{clusters: make(map[string]*fetchedCluster)}
	expected := 0
	for i, m := range messages {
		switch event := m.GetEvent().(type) {
		case *fleetv1.FetchManifestsResponse_Started:
			mustBe(t, i, 0)
			expected = int(event.Started.GetExpected())
		case *fleetv1.FetchManifestsResponse_Batch:
			c := result.clusters[event.Batch.GetCluster()]
			if c == nil {
				c = &fetchedCluster{names: make(map[string]int)}
				result.clusters[event.Batch.GetCluster()] = c
			}
			if c.completion != nil {
				t.Errorf("%s: a batch after its completion", event.Batch.GetCluster())
			}
			for _, item := range event.Batch.GetManifests() {
				c.items++
				c.names[item.GetNamespace()+"/"+item.GetName()]++
			}
			c.items += len(event.Batch.GetTable().GetRows())
			c.completion = event.Batch.GetCompletion()
		case *fleetv1.FetchManifestsResponse_Summary:
			mustBe(t, i, len(messages)-1)
			result.summary = event.Summary
		}
	}
	for name, c := range result.clusters {
		if c.completion == nil {
			t.Errorf("%s: no completion", name)
		}
	}
	if len(result.clusters) != expected {
		t.Errorf("%d clusters, %d expected", len(result.clusters), expected)
	}
	mustAddUp(t, result.summary, expected)
	return result
}

// detailsOf returns the details of a status that callers act on.
func detailsOf(t testing.TB, s *statuspb.Status) (info *errdetails.ErrorInfo, retry time.Duration, bad *errdetails.BadRequest) {
	t.Helper()
	for _, detail := range status.FromProto(s).Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *errdetails.RetryInfo:
			retry = d.GetRetryDelay().AsDuration()
		case *errdetails.BadRequest:
			bad = d
		case error:
			t.Errorf("a detail cannot be read: %v", d)
		}
	}
	if info.GetDomain() != "clusterfleet" || info.GetReason() == "" {
		t.Errorf("the ErrorInfo is %v", info)
	}
	return info, retry, bad
}

// await waits until what happens elsewhere has happened.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("a minute has passed without: %s", what)
		}
	}
}
