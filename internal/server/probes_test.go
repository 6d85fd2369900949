package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/client-go/rest"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestProbeStreamTellsOfEveryCluster(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 6, OwnPorts: true})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.Refuse})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Unauthorized})
	fleettest.SetFault(t, sim, names[2], simulator.Fault{Kind: simulator.Throttle, RetryAfter: 1 << 31})
	fleettest.SetFault(t, sim, names[3], simulator.Fault{Kind: simulator.HostileText})
	definitions := append(fleettest.Definitions(t, sim), cluster.Definition{Name: "virtual", Virtual: true})
	conn := serve(t, fleettest.Of(t, definitions, fleet.Options{}), server.Options{})

	p := probe(t.Context(), t, conn, &fleetv1.ProbeClustersRequest{})
	wantCodes := map[string]codes.Code{names[0]: codes.Unavailable, names[1]: codes.FailedPrecondition, names[2]: codes.Unavailable, names[3]: codes.Unavailable}
	for name, r := range p.results {
		if name == "virtual" {
			if !r.GetSkipped() || r.GetObservation() != nil || r.GetError() != nil {
				t.Errorf("virtual: %v", r)
			}
			continue
		}
		v := r.GetObservation().GetVerdict()
		if v.GetDepth() != fleetv1.Verdict_DEPTH_FULL || len(v.GetChecks()) == 0 || r.GetObservation().GetObservedAt() == nil {
			t.Errorf("%s: %v", name, r)
		}
		code := status.FromProto(r.GetError()).Code()
		if code != wantCodes[name] {
			t.Errorf("%s: %v", name, r.GetError())
		}
		if code == codes.OK {
			continue
		}
		info, retry, _ := detailsOf(t, r.GetError())
		if "REASON_"+info.GetReason() != v.GetReason().String() || r.GetError().GetMessage() != v.GetMessage() || info.GetMetadata()["hint"] == "" {
			t.Errorf("%s: the error does not say what the verdict does: %v", name, r)
		}
		if throttled := name == names[2]; throttled != (retry == time.Minute) {
			t.Errorf("%s: may be tried again after %v", name, retry)
		}
	}
	if text := p.results[names[3]].String(); strings.ContainsAny(text, "\x1b\r\n\u202e") || !strings.Contains(text, "forged") {
		t.Errorf("hostile text came through: %q", text)
	}
	s := p.summary
	if s.GetSucceeded() != 2 || s.GetFailed() != 4 || s.GetSkipped() != 1 || s.GetDeadlineExceeded() {
		t.Errorf("summary: %v", s)
	}
}

func TestAProbeOfNothingIsAWholeStream(t *testing.T) {
	conn := serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{})
	if p := probe(t.Context(), t, conn, &fleetv1.ProbeClustersRequest{}); p.expected != 0 {
		t.Errorf("%d results are expected of an empty fleet", p.expected)
	}
}

func TestTheCallersDeadlineDeliversWhatWasFound(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 30})
	names := sim.Names()
	for _, name := range names[10:] {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	conn := serve(t, f, server.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	p := probe(ctx, t, conn, &fleetv1.ProbeClustersRequest{MaxConcurrency: 15})
	if ctx.Err() != nil {
		t.Error("the stream ended only with the caller's deadline")
	}
	queued, waiting := 0, 0
	for _, name := range names[10:] {
		e := p.results[name].GetError()
		info, _, _ := detailsOf(t, e)
		if status.FromProto(e).Code() != codes.DeadlineExceeded || p.results[name].GetObservation().GetVerdict().GetState() != fleetv1.Verdict_STATE_UNKNOWN {
			t.Errorf("%s: %v", name, p.results[name])
		}
		switch {
		case info.GetReason() == "NOT_ATTEMPTED" && strings.Contains(e.GetMessage(), "queued"):
			queued++
		case info.GetReason() == "RESPONSE_TIMEOUT" && strings.Contains(e.GetMessage(), "waiting for the answer"):
			waiting++
		default:
			t.Errorf("%s: %v", name, e)
		}
	}
	s := p.summary
	if queued != 5 || waiting != 15 || s.GetSucceeded() != 10 || s.GetFailed() != 15 || s.GetNotAttempted() != 5 || !s.GetDeadlineExceeded() {
		t.Errorf("%d queued, %d waiting, summary %v", queued, waiting, s)
	}
}

// unreachable returns definitions of clusters to which connecting takes for ever.
func unreachable(n int) []cluster.Definition {
	definitions := make([]cluster.Definition, n)
	for i := range definitions {
		definitions[i] = cluster.Definition{Name: fmt.Sprintf("c%d", i), Config: &rest.Config{
			Host: "https://127.0.0.1:1",
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			},
		}}
	}
	return definitions
}

func TestATinyDeadlineStillEndsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := serve(t, fleettest.Of(t, unreachable(20), fleet.Options{}), server.Options{})
		for _, left := range []time.Duration{2 * time.Second, time.Second, 100 * time.Millisecond, time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), left)
			p := probe(ctx, t, conn, &fleetv1.ProbeClustersRequest{})
			if s := p.summary; s.GetSucceeded() != 0 || !s.GetDeadlineExceeded() {
				t.Errorf("%v: %v", left, s)
			}
			if ctx.Err() != nil {
				t.Errorf("%v: the stream ended only with the caller's deadline", left)
			}
			cancel()
		}
	})
}

func TestADeadlineThatIsOverEndsTheCall(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4})
	for _, name := range sim.Names() {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	conn := serve(t, f, server.Options{})
	for _, left := range []time.Duration{time.Nanosecond, time.Millisecond} { // nothing can be promised but an end
		ctx, cancel := context.WithTimeout(t.Context(), left)
		stream, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{})
		for err == nil {
			_, err = stream.Recv()
		}
		if code := status.Code(err); code != codes.DeadlineExceeded && !errors.Is(err, io.EOF) {
			t.Errorf("%v: %v", left, err)
		}
		cancel()
	}
}

func TestThePerClusterTimeoutIsTheClustersFailure(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	fleettest.SetFault(t, sim, sim.Names()[0], simulator.Fault{Kind: simulator.Hang})
	conn := serve(t, f, server.Options{})
	p := probe(t.Context(), t, conn, &fleetv1.ProbeClustersRequest{PerClusterTimeout: durationpb.New(500 * time.Millisecond)})
	v := p.results[sim.Names()[0]].GetObservation().GetVerdict()
	if v.GetReason() != fleetv1.Verdict_REASON_RESPONSE_TIMEOUT || v.GetState() != fleetv1.Verdict_STATE_UNREACHABLE || p.summary.GetDeadlineExceeded() {
		t.Errorf("%v, summary %v", v, p.summary)
	}
}

// leave starts a call that keeps as many requests in flight as there are clusters, lets the caller leave, and returns how
// long after that the servers saw the aborts.
func leave(t *testing.T, sim *simulator.Fleet, start func(ctx context.Context, c *grpc.ClientConn) error, conn *grpc.ClientConn) []time.Duration {
	t.Helper()
	sim.ResetStats()
	clusters := int64(len(sim.Names()))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := start(ctx, conn); err != nil {
		t.Fatal(err)
	}
	await(t, "all requests are in flight", func() bool { return sim.Stats().InFlight == clusters })
	left := time.Now()
	cancel()
	await(t, "the servers see the aborts", func() bool { return sim.Stats().InFlight == 0 })
	var after []time.Duration
	for _, at := range sim.Stats().AbortTimesUnixNano {
		after = append(after, time.Duration(at-left.UnixNano()))
	}
	slices.Sort(after)
	return after
}

func TestACallerWhoLeavesAbortsEverythingInFlight(t *testing.T) {
	const clusters = 300
	sim, f := fleettest.Start(t, simulator.Config{Clusters: clusters})
	conn := serve(t, f, server.Options{})
	configMaps := &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), PerClusterTimeout: durationpb.New(time.Minute), MaxConcurrency: 8}
	quick := &fleetv1.ProbeClustersRequest{Depth: fleetv1.Verdict_DEPTH_QUICK, PerClusterTimeout: durationpb.New(time.Minute), MaxConcurrency: 8}
	await(t, "there is a connection to each cluster", func() bool { // a handshake may be late on a busy machine
		p, f := probe(t.Context(), t, conn, quick), fetch(t.Context(), t, conn, configMaps)
		return p.summary.GetSucceeded() == clusters && f.summary.GetSucceeded() == clusters
	})
	quick.MaxConcurrency, configMaps.MaxConcurrency = clusters, clusters
	for _, name := range sim.Names() {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	before := runtime.NumGoroutine()
	for about, start := range map[string]func(context.Context, *grpc.ClientConn) error{
		"probes": func(ctx context.Context, c *grpc.ClientConn) error {
			_, err := fleetv1.NewHealthServiceClient(c).ProbeClusters(ctx, quick)
			return err
		},
		"fetches": func(ctx context.Context, c *grpc.ClientConn) error {
			_, err := fleetv1.NewManifestServiceClient(c).FetchManifests(ctx, configMaps)
			return err
		},
	} {
		after := leave(t, sim, start, conn)
		if len(after) != clusters {
			t.Fatalf("%s: %d of %d calls were aborted", about, len(after), clusters)
		}
		t.Logf("%s: %d in flight; aborts seen after %v (median), %v (p99), %v (last)", about, clusters, after[clusters/2], after[clusters*99/100], after[clusters-1])
		if after[clusters-1] > 5*time.Second {
			t.Errorf("%s: that is too late", about)
		}
		await(t, "the goroutines of the call have ended", func() bool { return runtime.NumGoroutine() <= before+10 })
	}
}

func TestTwoCallersCostOneProbe(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Latency: simulator.Constant(2 * time.Second)})
	conn := serve(t, f, server.Options{})
	at := make(chan time.Time, 2)
	for range 2 {
		go func() {
			p := probe(t.Context(), t, conn, &fleetv1.ProbeClustersRequest{Depth: fleetv1.Verdict_DEPTH_QUICK})
			at <- p.results[sim.Names()[0]].GetObservation().GetObservedAt().AsTime()
		}()
	}
	if first, second := <-at, <-at; !first.Equal(second) {
		t.Errorf("two callers got the probes of %v and %v", first, second)
	}
	await(t, "the request is counted", func() bool { return sim.Stats().InFlight == 0 })
	if n := sim.Stats().Requests; n != 1 {
		t.Errorf("the server has seen %d requests", n)
	}
}

func TestABadSelectorIsRefusedWithItsField(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	conn := serve(t, f, server.Options{})
	for _, test := range []struct {
		about   string
		request *fleetv1.ProbeClustersRequest
		code    codes.Code
		field   string
	}{
		{"label selector", &fleetv1.ProbeClustersRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env in (prod"}}, codes.InvalidArgument, "selector.label_selector"},
		{"a name of 300 bytes", &fleetv1.ProbeClustersRequest{Selector: &fleetv1.ClusterSelector{Names: []string{strings.Repeat("x", 300)}}}, codes.InvalidArgument, "selector.names[0]"},
		{"an undefined state", &fleetv1.ProbeClustersRequest{Selector: &fleetv1.ClusterSelector{States: []fleetv1.Verdict_State{99}}}, codes.InvalidArgument, "selector.states[0]"},
		{"a negative timeout", &fleetv1.ProbeClustersRequest{PerClusterTimeout: durationpb.New(-time.Second)}, codes.InvalidArgument, "per_cluster_timeout"},
		{"a negative concurrency", &fleetv1.ProbeClustersRequest{MaxConcurrency: -1}, codes.InvalidArgument, "max_concurrency"},
		{"an undefined depth", &fleetv1.ProbeClustersRequest{Depth: 99}, codes.InvalidArgument, "depth"},
		{"an unknown name", &fleetv1.ProbeClustersRequest{Selector: &fleetv1.ClusterSelector{Names: []string{"there-is-none"}}}, codes.NotFound, ""},
	} {
		t.Run(test.about, func(t *testing.T) {
			stream, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(t.Context(), test.request)
			messages, err := receive(t, stream, err)
			s := status.Convert(err)
			if s.Code() != test.code || len(messages) != 0 {
				t.Fatalf("%d messages, then %v", len(messages), err)
			}
			_, _, bad := detailsOf(t, s.Proto())
			if test.field == "" {
				return
			}
			if v := bad.GetFieldViolations(); len(v) != 1 || v[0].GetField() != test.field || v[0].GetDescription() == "" {
				t.Errorf("violations: %v", v)
			}
		})
	}
	if n := sim.Stats().AcceptedConnections; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestTenThousandUnknownNamesMakeAShortError(t *testing.T) {
	conn := serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{})
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("there-is-none-%d", i)
	}
	stream, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{Selector: &fleetv1.ClusterSelector{Names: names}})
	_, err = receive(t, stream, err)
	if text := status.Convert(err).Message(); status.Code(err) != codes.NotFound || len(text) > 1024 || !strings.Contains(text, "9995 more") {
		t.Errorf("%d bytes: %v", len(text), errors.Unwrap(err))
	}
}
