package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

type probeStream = grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]

func started1() *fleetv1.ProbeClustersResponse {
	return &fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: started(1)}}
}

// begun starts a stream and waits for its first message.
func begun(t *testing.T, conn *grpc.ClientConn) grpc.ServerStreamingClient[fleetv1.ProbeClustersResponse] {
	t.Helper()
	stream, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	return stream
}

// untilStopped sends what a handler sends: its start, and a summary when its context ends.
func untilStopped(s probeStream) error {
	if err := s.Send(started1()); err != nil {
		return err
	}
	<-s.Context().Done()
	return s.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: &fleetv1.Summary{}}})
}

func mustBeShuttingDown(t *testing.T, err error) {
	t.Helper()
	s := status.Convert(err)
	var retry *errdetails.RetryInfo
	var info *errdetails.ErrorInfo
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.RetryInfo:
			retry = d
		case *errdetails.ErrorInfo:
			info = d
		}
	}
	if s.Code() != codes.Unavailable || retry.GetRetryDelay().AsDuration() <= 0 || info.GetReason() != "SHUTTING_DOWN" {
		t.Errorf("got %v", s)
	}
}

func TestShutdownEndsRunningStreamsWithoutASummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := serveDefective(t, &defective{stream: untilStopped}, Options{})
		stream := begun(t, conn)
		start := time.Now()
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < drainTime || took > drainTime+time.Second {
			t.Errorf("it took %v", took)
		}
		message, err := stream.Recv()
		if message != nil {
			t.Errorf("the stream went on with %v", message)
		}
		mustBeShuttingDown(t, err)
	})
}

func TestShutdownLetsCallsEndAndRefusesNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := serveDefective(t, &defective{
			unary: func(context.Context) error { return nil },
			stream: func(s probeStream) error {
				if err := s.Send(started1()); err != nil {
					return err
				}
				<-time.After(3 * time.Second)
				return s.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: &fleetv1.Summary{}}})
			},
		}, Options{})
		stream := begun(t, conn)
		health := healthpb.NewHealthClient(conn)
		watch, err := health.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "fleet.v1.HealthService"})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := watch.Recv(); err != nil || r.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("the watch began with %v, %v", r, err)
		}
		start := time.Now()
		shut := make(chan error, 1)
		go func() { shut <- s.Shutdown() }()
		if r, err := watch.Recv(); err != nil || r.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
			t.Errorf("the watch went on with %v, %v", r, err)
		}
		for _, service := range []string{"", "fleet.v1.HealthService"} {
			r, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
			if err != nil || r.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
				t.Errorf("%q: %v, %v", service, r, err)
			}
		}
		_, err = fleetv1.NewClusterServiceClient(conn).GetCluster(t.Context(), &fleetv1.GetClusterRequest{Name: "a"})
		mustBeShuttingDown(t, err)
		refused, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{})
		if err == nil {
			_, err = refused.Recv()
		}
		mustBeShuttingDown(t, err)

		if m, err := stream.Recv(); err != nil || m.GetSummary() == nil {
			t.Errorf("the running stream went on with %v, %v", m, err)
		}
		if err := <-shut; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("it took %v, though all calls had ended after 3 s", took)
		}
	})
}

func TestWatchesOfHealthAreToldAndDoNotHoldUpAShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := serveDefective(t, &defective{}, Options{})
		var watches []grpc.ServerStreamingClient[healthpb.HealthCheckResponse]
		for i := range 21 { // each gets what is told, but the last, for there is no such service
			service := ""
			if i == 20 {
				service = "no.such.Service"
			}
			watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: service})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := watch.Recv(); err != nil {
				t.Fatal(err)
			}
			watches = append(watches, watch)
		}
		start := time.Now()
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
		for _, watch := range watches[:20] {
			if r, err := watch.Recv(); err != nil || r.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
				t.Errorf("the watch was not told: %v, %v", r, err)
			}
			if _, err := watch.Recv(); err == nil {
				t.Error("the watch goes on")
			}
		}
	})
}

func TestAStuckHandlerIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s, conn := serveDefective(t, &defective{stream: func(s probeStream) error {
			if err := s.Send(started1()); err != nil {
				return err
			}
			<-release
			return nil
		}}, Options{})
		begun(t, conn)
		start := time.Now()
		if err := s.Shutdown(); err == nil {
			t.Error("nobody tells that a handler was left behind")
		}
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
		close(release)
	})
}

func TestACallerWhoDoesNotReadDoesNotHoldUpAShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, conn := serveDefective(t, &defective{stream: func(s probeStream) error {
			for {
				if err := s.Send(started1()); err != nil {
					return err
				}
			}
		}}, Options{})
		begun(t, conn)
		start := time.Now()
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestACallThatEndedWellIsNotReplaced(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStopping)
	if err := orWhyEnded(ctx, nil, ""); err != nil {
		t.Errorf("it became %v", err)
	}
	mustBeShuttingDown(t, orWhyEnded(ctx, context.Canceled, ""))
}
