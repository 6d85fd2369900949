package cluster

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/time/rate"
)

// Limits of one cluster. They protect its API server from us, whatever our callers ask for. A probe has a place of its
// own among the calls: long reads do not make a cluster look dead.
const (
	// MaxReads is how many reads of one cluster run at once; each has a connection.
	MaxReads = 2

	// maxProbes is one for callers and one for who watches: neither waits for the other.
	maxProbes  = 2
	probeRate  = 20
	probeBurst = 30
	readRate   = 50
	readBurst  = 100
	// slowestRate is what a throttling server is asked at most, in calls a second.
	slowestRate = 1
)

// limiter bounds one kind of calls to one cluster: how many at once, and how many a second. Where the server throttles,
// the rate is halved and no burst is allowed; every answer that is none of that brings it back by a twentieth.
type limiter struct {
	slots chan struct{} // as many tokens as calls may run
	rate  *rate.Limiter

	mu    sync.Mutex
	full  rate.Limit
	burst int
}

func newLimiter(atOnce int, perSecond rate.Limit, burst int) *limiter {
	return &limiter{
		slots: make(chan struct{}, atOnce),
		rate:  rate.NewLimiter(perSecond, burst),
		full:  perSecond,
		burst: burst,
	}
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
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
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
	throttled := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if !throttled && l.rate.Limit() == l.full {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if throttled {
		l.rate.SetBurst(1)
		l.rate.SetLimit(max(l.rate.Limit()/2, slowestRate))
		return
	}
	faster := min(l.rate.Limit()+l.full/20, l.full)
	l.rate.SetLimit(faster)
	if faster == l.full {
		l.rate.SetBurst(l.burst)
	}
}
