package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// defective is a service whose handlers do what the test says.
type defective struct {
	fleetv1.UnimplementedHealthServiceServer
	fleetv1.UnimplementedClusterServiceServer

	stream func(grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error
	unary  func(context.Context) error
}

func (d *defective) ProbeClusters(_ *fleetv1.ProbeClustersRequest, s grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error {
	return d.stream(s)
}

func (d *defective) GetCluster(ctx context.Context, _ *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
	return &fleetv1.GetClusterResponse{}, d.unary(ctx)
}

// serveDefective serves handlers of the test's own behind the server's interceptors. The caller shuts it down.
func serveDefective(t *testing.T, d *defective, options Options) (*Server, *grpc.ClientConn) {
	t.Helper()
	s, err := newServer(options, newCallMetrics(), func(r grpc.ServiceRegistrar) {
		fleetv1.RegisterHealthServiceServer(r, d)
		fleetv1.RegisterClusterServiceServer(r, d)
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 16)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient("passthrough:///fleet", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // a test may have closed it
	return s, conn
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) records(t *testing.T) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var records []map[string]any
	decoder := json.NewDecoder(&l.text)
	for decoder.More() {
		var r map[string]any
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func (l *lines) log() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func panicking(context.Context) error { panic("the defect") }

func TestAPanicIsLoggedWithItsStackAndToldWithout(t *testing.T) {
	for about, make := range map[string]func(*grpc.ClientConn) error{
		"unary": func(c *grpc.ClientConn) error {
			_, err := fleetv1.NewClusterServiceClient(c).GetCluster(t.Context(), &fleetv1.GetClusterRequest{Name: "a"})
			return err
		},
		"stream": func(c *grpc.ClientConn) error {
			stream, err := fleetv1.NewHealthServiceClient(c).ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		},
	} {
		t.Run(about, func(t *testing.T) {
			log := &lines{}
			s, conn := serveDefective(t, &defective{
				unary:  panicking,
				stream: func(s grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error { return panicking(s.Context()) },
			}, Options{Log: log.log()})
			err := make(conn)
			if shutErr := s.Shutdown(); shutErr != nil {
				t.Error(shutErr)
			}
			told := status.Convert(err)
			if told.Code() != codes.Internal || strings.Contains(told.String(), "defect") || strings.Contains(told.String(), "goroutine") {
				t.Errorf("told: %v", told)
			}
			stacks := 0
			for _, r := range log.records(t) {
				if stack, ok := r["stack"].(string); ok {
					stacks++
					if !strings.Contains(stack, "panicking") || r["panic"] != "the defect" || r["level"] != "ERROR" {
						t.Errorf("logged: %v", r)
					}
				}
			}
			if stacks != 1 {
				t.Errorf("the stack was logged %d times", stacks)
			}
		})
	}
}

func TestCallsAreLoggedByWhoseFaultTheirEndIs(t *testing.T) {
	for code, want := range map[codes.Code]string{
		codes.OK:                "DEBUG",
		codes.NotFound:          "INFO",
		codes.InvalidArgument:   "INFO",
		codes.Canceled:          "INFO",
		codes.DeadlineExceeded:  "INFO",
		codes.Unavailable:       "WARN",
		codes.ResourceExhausted: "WARN",
		codes.Internal:          "ERROR",
		codes.Unknown:           "ERROR",
	} {
		log := &lines{}
		s, conn := serveDefective(t, &defective{unary: func(context.Context) error { return status.Error(code, "why") }}, Options{Log: log.log()})
		_, err := fleetv1.NewClusterServiceClient(conn).GetCluster(t.Context(), &fleetv1.GetClusterRequest{Name: "a"})
		if status.Code(err) != code {
			t.Errorf("%v: got %v", code, err)
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		records := log.records(t)
		if len(records) != 1 || records[0]["level"] != want || records[0]["grpc.method"] != "GetCluster" || records[0]["grpc.code"] != code.String() {
			t.Errorf("%v: logged %v, want one line of level %s", code, records, want)
		}
	}
}

func TestCallsAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	s, conn := serveDefective(t, &defective{unary: func(context.Context) error { return status.Error(codes.NotFound, "why") }}, Options{Metrics: registry})
	if n := counted(t, registry, "NotFound"); n != 0 {
		t.Errorf("%v calls before the first", n)
	}
	for range 3 {
		_, err := fleetv1.NewClusterServiceClient(conn).GetCluster(t.Context(), &fleetv1.GetClusterRequest{Name: "a"})
		if status.Code(err) != codes.NotFound {
			t.Error(err)
		}
	}
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
	if n := counted(t, registry, "NotFound"); n != 3 {
		t.Errorf("%v calls were counted", n)
	}
	if _, err := New(fleet.New(fleet.Options{}), Options{Metrics: registry}); err == nil {
		t.Error("two servers share the metrics of one")
	}
}

// counted returns how many calls of GetCluster ended with the code; it is an error if the metric is missing.
func counted(t *testing.T, registry *prometheus.Registry, code string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "grpc_server_handled_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := make(map[string]string)
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["grpc_method"] == "GetCluster" && labels["grpc_code"] == code {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("there is no metric of GetCluster and %s", code)
	return 0
}

func TestAnErrorWithoutViolationsStaysAsItIs(t *testing.T) {
	plain := status.Error(codes.InvalidArgument, "why")
	if got := explain(plain); got.Error() != plain.Error() {
		t.Errorf("it became %v", got)
	}
	if got := explain(context.Canceled); got != context.Canceled { //nolint:errorlint // the very same
		t.Errorf("it became %v", got)
	}
	detailed := badRequest("why", &errdetails.BadRequest_FieldViolation{Field: "f"})
	if got := explain(detailed); got.Error() != detailed.Error() {
		t.Errorf("it became %v", got)
	}
}
