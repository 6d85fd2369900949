package cluster

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
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
)

// limiter bounds one kind of calls to one cluster: how many at once, and how many a second. Both go down while the server
// throttles, the first one only where that is wanted.
type limiter struct {
	atOnce int64
	slots  *semaphore.Weighted // atOnce of them
	// throttledWeight is how many slots a call takes while the server throttles.
	throttledWeight int64
	rate            *rate.Limiter
	throttle
}

func newLimiter(atOnce, throttledAtOnce int64, perSecond rate.Limit, burst int) *limiter {
	return &limiter{
		atOnce:          atOnce,
		slots:           semaphore.NewWeighted(atOnce),
		throttledWeight: atOnce / throttledAtOnce,
		rate:            rate.NewLimiter(perSecond, burst),
		throttle:        throttle{full: perSecond, burst: burst},
	}
}

// place is that of a call among those that run.
type place struct {
	limiter *limiter
	weight  int64
}

// leave gives the place to another call.
func (p place) leave() { p.limiter.slots.Release(p.weight) }

// acquire waits for the call's turn. Every nil error needs a leave. Where the server has asked for fewer calls and the turn
// would come too late, the error is a Throttled *Error, at once.
func (l *limiter) acquire(ctx context.Context) (place, error) {
	if ctx.Err() != nil {
		return place{}, context.Cause(ctx)
	}
	p := place{limiter: l, weight: 1}
	free := !l.isThrottled() && l.slots.TryAcquire(p.weight)
	if free && l.rate.Allow() {
		return p, nil
	}
	if !free {
		var err error
		if p.weight, err = l.slot(ctx); err != nil {
			return place{}, err
		}
	}
	if err := l.pace(ctx); err != nil {
		p.leave()
		return place{}, err
	}
	return p, nil
}

// slot waits for a place and returns its weight.
func (l *limiter) slot(ctx context.Context) (int64, error) {
	for {
		if err := l.bearable(ctx, l.pause()); err != nil {
			return 0, err
		}
		weight := int64(1)
		if l.isThrottled() {
			weight = l.throttledWeight
		}
		if l.slots.Acquire(ctx, weight) != nil {
			return 0, context.Cause(ctx)
		}
		if weight == l.throttledWeight || !l.isThrottled() {
			return weight, nil
		}
		l.slots.Release(weight) // the server has begun to throttle meanwhile
	}
}

// pace waits until the rate allows the call, and the server's pause is over.
func (l *limiter) pace(ctx context.Context) error {
	for {
		if err := l.rest(ctx); err != nil {
			return err
		}
		if err := l.rate.Wait(ctx); err != nil {
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case l.isThrottled():
				return throttledFor(l.untilAllowed())
			}
			return context.DeadlineExceeded // it would have been, in the queue
		}
		if l.pause() == 0 {
			return nil
		}
	}
}

// untilAllowed is when the rate allows a call.
func (l *limiter) untilAllowed() time.Duration {
	missing := 1 - l.rate.Tokens()
	return time.Duration(max(missing, 0) / float64(l.rate.Limit()) * float64(time.Second))
}

// rest waits until the pause is over for which the server has asked.
func (l *limiter) rest(ctx context.Context) error {
	for pause := l.pause(); pause > 0; pause = l.pause() {
		if err := l.bearable(ctx, pause); err != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return nil
}

// bearable refuses a call for which the pause is too long: whoever makes it has others to ask.
func (*limiter) bearable(ctx context.Context, pause time.Duration) error {
	if pause > longestWait {
		return throttledFor(pause)
	}
	if deadline, ok := ctx.Deadline(); ok && pause > 0 && time.Until(deadline) < pause {
		return throttledFor(pause)
	}
	return nil
}

// Limits are those of one kind of calls to a cluster as they are now.
type Limits struct {
	// Throttled is set while the server is asked less often than usual because it has answered 429 or 503.
	Throttled bool
	// Rate is how many calls a second are allowed.
	Rate float64
	// AtOnce is how many calls may run at the same time.
	AtOnce int
	// RetryAfter is the time, at most a minute, before which the server wants no call; 0 if it may be called.
	RetryAfter time.Duration
}

func (l *limiter) limits() Limits {
	throttled := l.isThrottled()
	now := Limits{Throttled: throttled, Rate: float64(l.rate.Limit()), AtOnce: int(l.atOnce), RetryAfter: l.pause()}
	if throttled {
		now.AtOnce = int(l.atOnce / l.throttledWeight)
	}
	return now
}

// ReadLimits returns the limits of reads.
func (c *Client) ReadLimits() Limits {
	if r := c.reading.made.Load(); r != nil {
		return r.limiter.limits()
	}
	return Limits{Rate: readRate, AtOnce: MaxReads}
}

// ProbeLimits returns the limits of probes.
func (c *Client) ProbeLimits() Limits { return c.probing.limits() }
