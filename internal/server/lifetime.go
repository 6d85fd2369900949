package server

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
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

// apiPrefix is what the methods of the fleet's own API begin with.
const apiPrefix = "/fleet."

var errStopping = errors.New("the aggregator is shutting down")

// lifetime ends calls with the server: new ones are refused once it drains, running ones ended once it stops. Calls of
// grpc.health.v1 and of reflection are not refused: health tells that the server drains. Its watches never end by
// themselves; they are waited for until they have told it.
type lifetime struct {
	stopping context.Context //nolint:containedctx // it is the server's own life
	stop     context.CancelCauseFunc

	metrics *callMetrics

	mu       sync.Mutex
	draining bool
	calls    sync.WaitGroup
}

func newLifetime(ctx context.Context, calls *callMetrics) *lifetime {
	l := &lifetime{metrics: calls}
	l.stopping, l.stop = context.WithCancelCause(ctx)
	return l
}

// drain refuses new calls from now on. The channel is closed when those under way have ended, and watches been told.
func (l *lifetime) drain() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
	return background(l.calls.Wait)
}

// enter reports whether a call may begin; leave must be called when it ends.
func (l *lifetime) enter(method string) (leave func(), ok bool) {
	api := strings.HasPrefix(method, apiPrefix)
	if !api && method != healthpb.Health_Watch_FullMethodName {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.draining && api:
		return nil, false
	case l.draining, // a watch that is told at once
		method == fleetv1.HealthService_WatchClusterHealth_FullMethodName: // it never ends by itself, and can be resumed
		return func() {}, true
	}
	l.calls.Add(1)
	return l.calls.Done, true
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

func (l *lifetime) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	leave, ok := l.enter(info.FullMethod)
	if !ok {
		return nil, shuttingDown("")
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, unaryTimeout)
	defer cancel()
	ctx, release := l.bound(ctx)
	defer release()
	response, err := handler(ctx, request)
	return response, orWhyEnded(ctx, err, "")
}

func (l *lifetime) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	leave, ok := l.enter(info.FullMethod)
	if !ok {
		return shuttingDown("")
	}
	leave = sync.OnceFunc(leave)
	defer leave()
	ctx, end := context.WithCancelCause(stream.Context())
	defer end(nil)
	ctx, release := l.bound(ctx)
	defer release()
	bounded := &boundedStream{ServerStream: stream, bare: bareOf(stream), begun: time.Now(), told: leave}
	bounded.ctx = context.WithValue(ctx, boundedKey{}, bounded)
	err := bounded.run(func() error { return handler(service, bounded) })
	if errors.Is(err, errSlowCaller) {
		end(errSlowCaller)
		l.metrics.evicted.WithLabelValues(info.FullMethod).Inc()
	}
	return orWhyEnded(ctx, err, bounded.resumeToken())
}

// orWhyEnded replaces the error of a call that the server ended. A call that ended well all the same is whole.
func orWhyEnded(ctx context.Context, err error, resumeToken string) error {
	switch cause := context.Cause(ctx); {
	case err == nil:
		return nil
	case errors.Is(cause, errStopping):
		return shuttingDown(resumeToken)
	case errors.Is(cause, errSlowCaller):
		return slowCaller(resumeToken)
	}
	return err
}
