package cluster

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// slowestRate is what a throttling server is asked at least, in calls a second: it tells the end of it.
	slowestRate = 1
	// quietTime is how long a server must not have throttled for everything to be as before.
	quietTime = time.Minute
	// longestWait is how long a call waits for the end of a pause for which a server has asked. It is enough for the second
	// that API servers ask for between the pages of a list, and takes no worker from the other clusters for long.
	longestWait = 2 * time.Second
)

// throttle is what a limiter has learnt of a server that cannot answer as much as it is asked. With each answer that says
// so, the rate is halved, no burst is allowed, and calls go one after the other; each answer that does not say so brings
// the rate back by a twentieth of what it was, and a quiet minute brings all of it back. No call is made in a pause that
// the server has asked for.
type throttle struct {
	full  rate.Limit
	burst int

	slowed atomic.Bool // spares all others the lock

	mu    sync.Mutex
	last  time.Time // the last answer that throttled, or the end of its pause
	until time.Time // the end of the pause
}

// learn adapts the limits to an answer: its status, and the pause that it asks for.
func (l *limiter) learn(status int, pause time.Duration) {
	throttled := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if !throttled && !l.slowed.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if throttled {
		l.slow(now, pause)
		return
	}
	faster := min(l.rate.Limit()+l.full/20, l.full)
	l.rate.SetLimit(faster)
	if faster == l.full && !l.until.After(now) {
		l.recover()
	}
}

// slow is called with the lock held.
func (l *limiter) slow(now time.Time, pause time.Duration) {
	l.rate.SetBurst(1)
	l.rate.SetLimit(max(l.rate.Limit()/2, slowestRate))
	if until := now.Add(pause); until.After(l.until) {
		l.until = until
	}
	l.last = l.until
	if now.After(l.last) {
		l.last = now
	}
	l.slowed.Store(true)
}

// recover is called with the lock held.
func (l *limiter) recover() {
	l.rate.SetLimit(l.full)
	l.rate.SetBurst(l.burst)
	l.slowed.Store(false)
}

// isThrottled reports whether the server is asked less often than usual. Time alone ends that, too.
func (l *limiter) isThrottled() bool {
	if !l.slowed.Load() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slowed.Load() && time.Since(l.last) >= quietTime {
		l.recover()
	}
	return l.slowed.Load()
}

// pause is how long the server still wants no call, 0 if it may be called.
func (l *limiter) pause() time.Duration {
	if !l.slowed.Load() {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.until))
}

// throttledFor is the error of a call that is not made because the server has asked for fewer.
func throttledFor(left time.Duration) *Error {
	left = min(left, maxRetryAfter)
	e := NewError(Throttled, PhaseQueue, fmt.Sprintf(
		"the server asked for fewer calls; it is not asked again for another %v", left.Round(time.Millisecond)), nil)
	e.RetryAfter = left
	return e
}

// IsThrottling reports whether the server asked for fewer calls: it has answered this one with 429 or 503, or an earlier one,
// and this one was not made.
func (e *Error) IsThrottling() bool {
	return e.Reason == Throttled || e.StatusCode == http.StatusServiceUnavailable
}
