package cluster

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of one cluster. They protect its API server from us, whatever our callers ask for.
const (
	maxCalls   = 4
	probeRate  = 20
	probeBurst = 30
	readRate   = 50
	readBurst  = 100
	// slowestRate is what a throttling server is asked at most, in calls a second.
	slowestRate = 1
)

// limiter bounds the calls to one cluster: how many at once, and how many a second. Where the server throttles, the rate
// is halved; every answer that is none of that brings it back by a twentieth.
type limiter struct {
	slots chan struct{}
	rate  *rate.Limiter

	mu   sync.Mutex
	full rate.Limit
}

// newLimiter shares slots with the cluster's other limiters.
func newLimiter(slots chan struct{}, perSecond rate.Limit, burst int) *limiter {
	return &limiter{slots: slots, rate: rate.NewLimiter(perSecond, burst), full: perSecond}
}

// acquire waits for the call's turn. Every nil error needs a release.
func (l *limiter) acquire(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
	default:
		if err := l.wait(ctx); err != nil {
			return err
		}
	}
	if err := l.pace(ctx); err != nil {
		<-l.slots
		return err
	}
	return nil
}

func (l *limiter) wait(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pace waits until the rate allows the call. A wait that the deadline would cut short fails at once.
func (l *limiter) pace(ctx context.Context) error {
	if l.rate.Allow() {
		return nil
	}
	if err := l.rate.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return context.DeadlineExceeded
	}
	return nil
}

func (l *limiter) release() { <-l.slots }

// learn adapts the rate to an answer's status.
func (l *limiter) learn(status int) {
	current := l.rate.Limit()
	throttled := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if !throttled && current == l.full {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if current = l.rate.Limit(); throttled {
		l.rate.SetLimit(max(current/2, slowestRate))
		return
	}
	l.rate.SetLimit(min(current+l.full/20, l.full))
}

// retryAfter returns the wait that an answer asks for, bounded by maxRetryAfter. Only seconds are understood: that is
// what Kubernetes sends.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	seconds := 0
	for _, c := range []byte(value) {
		if c < '0' || c > '9' {
			return 0
		}
		if seconds = seconds*10 + int(c-'0'); seconds >= int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
	}
	return time.Duration(seconds) * time.Second
}
