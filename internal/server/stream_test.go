package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// sendForever sends until that fails, and tells why.
func sendForever(ended chan<- error) func(probeStream) error {
	return func(s probeStream) error {
		for {
			if err := s.Send(started1()); err != nil {
				ended <- err
				return err
			}
		}
	}
}

func TestACallerWhoDoesNotReadIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		registry := prometheus.NewRegistry()
		s, conn := serveDefective(t, &defective{stream: sendForever(ended)}, Options{Metrics: registry})
		stream := begun(t, conn)
		start := time.Now()
		if err := <-ended; !errors.Is(err, errSlowCaller) {
			t.Errorf("the sending failed with %v", err)
		}
		if took := time.Since(start); took != sendTime {
			t.Errorf("the handler was held up for %v", took)
		}
		var err error
		for err == nil { // what was sent before comes first
			_, err = stream.Recv()
		}
		if n, err := testutil.GatherAndCount(registry, "clusterfleet_slow_callers_ended_total"); n != 1 || err != nil {
			t.Errorf("%d metrics of ended callers, %v", n, err)
		}
		got := status.Convert(err)
		if got.Code() != codes.ResourceExhausted || len(got.Details()) != 1 {
			t.Fatalf("the caller was told %v", got)
		}
		if info, ok := got.Details()[0].(*errdetails.ErrorInfo); !ok || info.GetReason() != "SLOW_CALLER" {
			t.Errorf("the caller was told %v", got.Details())
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	})
}

func TestACallerWhoReadsSlowlyIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 20_000 // more than is sent ahead
		s, conn := serveDefective(t, &defective{stream: func(s probeStream) error {
			for range messages {
				if err := s.Send(started1()); err != nil {
					return err
				}
			}
			return nil
		}}, Options{})
		stream := begun(t, conn)
		for i := range messages - 1 {
			if i%4000 == 0 {
				<-time.After(sendTime - time.Second)
			}
			if _, err := stream.Recv(); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	})
}

func TestACallerWhoIsGoneIsNoFailureOfOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		log := &lines{}
		s, conn := serveDefective(t, &defective{stream: sendForever(ended)}, Options{Log: log.log()})
		begun(t, conn)
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; status.Code(err) != codes.Canceled {
			t.Errorf("the sending failed with %v", err)
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		records := log.records(t)
		if len(records) != 1 || records[0]["grpc.code"] != "Canceled" || records[0]["level"] != "INFO" {
			t.Errorf("logged %v", records)
		}
	})
}

// sink is a stream whose caller takes everything.
type sink struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // grpc.ServerStream has it so
}

func (s *sink) Context() context.Context { return s.ctx }
func (s *sink) SendMsg(any) error        { return nil }

func TestAShutdownWaitsUntilAWatchWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life := newLifetime(t.Context(), newCallMetrics())
		tell := make(chan healthpb.HealthCheckResponse_ServingStatus)
		watched := make(chan error, 1)
		go func() {
			info := &grpc.StreamServerInfo{FullMethod: healthpb.Health_Watch_FullMethodName}
			watched <- life.stream(nil, &sink{ctx: t.Context()}, info, func(_ any, s grpc.ServerStream) error {
				for status := range tell {
					if err := s.SendMsg(&healthpb.HealthCheckResponse{Status: status}); err != nil {
						return err
					}
				}
				return nil
			})
		}()
		tell <- healthpb.HealthCheckResponse_SERVING
		drained := life.drain()
		if within(time.Second, drained) {
			t.Error("the watch was not waited for")
		}
		tell <- healthpb.HealthCheckResponse_NOT_SERVING
		if !within(time.Second, drained) {
			t.Error("the watch was waited for although it was told")
		}
		close(tell)
		if err := <-watched; err != nil {
			t.Error(err)
		}
	})
}
