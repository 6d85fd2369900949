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

	bare    grpc.ServerStream // without what counts each message
	ctx     context.Context   //nolint:containedctx // grpc.ServerStream has it so
	told    func()            // called when a watch of health has told what is final
	begun   time.Time
	sending atomic.Int64 // since when a message is being sent, in nanoseconds after begun and 1 more; 0 while none is

	mu    sync.Mutex
	token string // resumes the call behind what was sent
}

// bareKey is the key of the stream as gRPC made it, in the context of a stream.
type bareKey struct{}

// bareStream is a stream whose context leads to the stream as gRPC made it.
type bareStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // grpc.ServerStream has it so
}

// Context returns the context that leads to the stream.
func (s *bareStream) Context() context.Context { return s.ctx }

// keepBare lets those below reach the stream as gRPC made it.
func keepBare(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(service, &bareStream{stream, context.WithValue(stream.Context(), bareKey{}, stream)})
}

// bareOf returns the stream as gRPC made it.
func bareOf(stream grpc.ServerStream) grpc.ServerStream {
	if bare, ok := stream.Context().Value(bareKey{}).(grpc.ServerStream); ok {
		return bare
	}
	return stream
}

// boundedKey is the key of the bounded stream in its own context.
type boundedKey struct{}

// boundedOf returns the stream that is under those which a handler gets.
func boundedOf(stream grpc.ServerStream) *boundedStream {
	bounded, _ := stream.Context().Value(boundedKey{}).(*boundedStream)
	return bounded
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
	s.sendsSince(time.Now())
	err := s.send(message)
	s.sendsNothing()
	if err != nil {
		if ended := s.ended(); ended != nil {
			return ended
		}
		return orGone(s.ServerStream.Context(), err)
	}
	switch m := message.(type) {
	case resumable:
		s.sent(m)
	case *healthpb.HealthCheckResponse:
		if m.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			s.told()
		}
	}
	return nil
}

// send sends what is encoded already past all that looks at single messages: that would take as long as the sending.
func (s *boundedStream) send(message any) error {
	if _, ok := message.(*parcel); ok {
		return s.bare.SendMsg(message)
	}
	return s.ServerStream.SendMsg(message)
}

// sendPrepared is SendMsg for who keeps account, by sendsSince and sendsNothing, of how long the sending takes.
func (s *boundedStream) sendPrepared(p *parcel) error {
	if err := s.ended(); err != nil {
		return err
	}
	if err := s.bare.SendMsg(p); err != nil {
		return orGone(s.ServerStream.Context(), err)
	}
	s.sent(p)
	return nil
}

func (s *boundedStream) sendsSince(now time.Time) { s.sending.Store(int64(now.Sub(s.begun)) + 1) }

func (s *boundedStream) sendsNothing() { s.sending.Store(0) }

// sent notes how the call can be resumed.
func (s *boundedStream) sent(message resumable) {
	s.mu.Lock()
	s.token = message.GetResumeToken()
	s.mu.Unlock()
}

// ended returns why the server has ended the call, if it has.
func (s *boundedStream) ended() error {
	if s.ctx.Err() == nil {
		return nil
	}
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
