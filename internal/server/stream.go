package server

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// sendTime is what a message may wait for a caller who does not read. What is being sent holds memory and the turns of
// clusters, which others wait for.
const sendTime = 30 * time.Second

var errSlowCaller = errors.New("the caller does not read what is sent")

// boundedStream is a stream that the server can end.
type boundedStream struct {
	grpc.ServerStream

	ctx  context.Context //nolint:containedctx // grpc.ServerStream has it so
	end  context.CancelCauseFunc
	told func() // called when a watch of health has told what is final
}

// Context returns the bounded context.
func (s *boundedStream) Context() context.Context { return s.ctx }

// SendMsg sends nothing once the call was ended: the summary of a call that was cut short would be taken for whole. It
// ends the call of a caller who does not read.
func (s *boundedStream) SendMsg(message any) error {
	if cause := context.Cause(s.ctx); errors.Is(cause, errStopping) || errors.Is(cause, errSlowCaller) {
		return cause
	}
	err := s.sendInTime(message)
	if err != nil {
		return orGone(s.ServerStream.Context(), err)
	}
	if r, ok := message.(*healthpb.HealthCheckResponse); ok && r.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		s.told()
	}
	return nil
}

// sendInTime sends in a goroutine, for nothing but the end of the handler ends the sending: gRPC then ends the stream,
// and the goroutine with it.
func (s *boundedStream) sendInTime(message any) error {
	sent := make(chan error, 1)
	go func() { sent <- s.ServerStream.SendMsg(message) }()
	timer := time.NewTimer(sendTime)
	defer timer.Stop()
	select {
	case err := <-sent:
		return err
	case <-timer.C:
		s.end(errSlowCaller)
		return errSlowCaller
	}
}
