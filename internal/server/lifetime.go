package server

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
)

// Steps of a shutdown. Together they take at most 25 s, whatever handlers do.
const (
	// drainTime is what calls under way get to end by themselves.
	drainTime = 5 * time.Second
	// endTime is what handlers get to notice that their call was ended.
	endTime = 10 * time.Second
	// stopTime is what connections get to close.
	stopTime = 10 * time.Second
)

var errStopping = errors.New("the aggregator is shutting down")

// lifetime ends calls with the server: new ones are refused once it drains, running ones ended once it stops.
type lifetime struct {
	draining context.Context //nolint:containedctx // it is the server's own life
	stopping context.Context //nolint:containedctx // likewise
	drain    context.CancelCauseFunc
	stop     context.CancelCauseFunc
}

func newLifetime(ctx context.Context) *lifetime {
	l := &lifetime{}
	l.draining, l.drain = context.WithCancelCause(ctx)
	l.stopping, l.stop = context.WithCancelCause(ctx)
	return l
}

// bound returns ctx, ended with the server as well. release must be called.
func (l *lifetime) bound(ctx context.Context) (bounded context.Context, release func()) {
	bounded, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(l.stopping, func() { cancel(errStopping) })
	return bounded, func() {
		detach()
		cancel(nil)
	}
}

func (l *lifetime) unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if l.draining.Err() != nil {
		return nil, shuttingDown()
	}
	ctx, cancel := context.WithTimeout(ctx, unaryTimeout)
	defer cancel()
	ctx, release := l.bound(ctx)
	defer release()
	response, err := handler(ctx, request)
	return response, orShuttingDown(ctx, err)
}

func (l *lifetime) stream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if l.draining.Err() != nil {
		return shuttingDown()
	}
	ctx, release := l.bound(stream.Context())
	defer release()
	return orShuttingDown(ctx, handler(service, &boundedStream{stream, ctx}))
}

// orShuttingDown replaces the result of a call that the server ended: what it says is not whole.
func orShuttingDown(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStopping) {
		return shuttingDown()
	}
	return err
}

// boundedStream is a stream with another context.
type boundedStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // grpc.ServerStream has it so
}

// Context returns the bounded context.
func (s *boundedStream) Context() context.Context { return s.ctx }

// SendMsg sends nothing once the call was ended: the summary of a call that was cut short would be taken for whole.
func (s *boundedStream) SendMsg(message any) error {
	if errors.Is(context.Cause(s.ctx), errStopping) {
		return errStopping
	}
	return s.ServerStream.SendMsg(message)
}
