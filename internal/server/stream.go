package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
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

	ctx     context.Context //nolint:containedctx // grpc.ServerStream has it so
	told    func()          // called when a watch of health has told what is final
	begun   time.Time
	sending atomic.Int64 // since when a message is being sent, in nanoseconds after begun and 1 more; 0 while none is

	mu    sync.Mutex
	token string // resumes the call behind what was sent
}

// run runs the handler and returns its error, or errSlowCaller as soon as one message could not be sent for too long. The
// handler has a goroutine of its own, for nothing but the end of the call ends the sending: gRPC then ends the stream, and
// with it the sending and the handler.
func (s *boundedStream) run(handler func() error) error {
	done := make(chan error, 1)
	go func() { done <- handler() }()
	timer := time.NewTimer(sendTime)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-timer.C:
			left := s.timeLeft()
			if left <= 0 {
				return errSlowCaller
			}
			timer.Reset(left)
		}
	}
}

// timeLeft is how long the message that is being sent may still take, or one that would be sent from now on.
func (s *boundedStream) timeLeft() time.Duration {
	since := s.sending.Load()
	if since == 0 {
		return sendTime
	}
	return sendTime - (time.Since(s.begun) - time.Duration(since-1))
}

// Context returns the bounded context.
func (s *boundedStream) Context() context.Context { return s.ctx }

// SendMsg sends nothing once the call was ended: the summary of a call that was cut short would be taken for whole.
func (s *boundedStream) SendMsg(message any) error {
	if err := s.ended(); err != nil {
		return err
	}
	s.sending.Store(int64(time.Since(s.begun)) + 1)
	err := s.ServerStream.SendMsg(encoded(message))
	s.sending.Store(0)
	if err != nil {
		if ended := s.ended(); ended != nil {
			return ended
		}
		return orGone(s.ServerStream.Context(), err)
	}
	switch m := message.(type) {
	case resumable:
		s.mu.Lock()
		s.token = m.GetResumeToken()
		s.mu.Unlock()
	case *healthpb.HealthCheckResponse:
		if m.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			s.told()
		}
	}
	return nil
}

// encoded returns what gRPC sends of a message.
func encoded(message any) any {
	if d, ok := message.(*delivery); ok {
		return &d.prepared
	}
	return message
}

// ended returns why the server has ended the call, if it has.
func (s *boundedStream) ended() error {
	if cause := context.Cause(s.ctx); errors.Is(cause, errStopping) || errors.Is(cause, errSlowCaller) {
		return cause
	}
	return nil
}

// resumable is an event behind which a call can be resumed.
type resumable interface{ GetResumeToken() string }

// resumeToken returns the token of the last event that was sent, empty if there is none.
func (s *boundedStream) resumeToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}
