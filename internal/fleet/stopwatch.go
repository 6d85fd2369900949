package fleet

import (
	"context"
	"time"
)

// readTimeoutError ends the reading of a cluster that took its whole time.
type readTimeoutError struct{}

func (readTimeoutError) Error() string { return "reading took its whole time" }

// Is makes the error a context.DeadlineExceeded for those who ask.
func (readTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// stopwatch is a timeout that can be paused: for the time in which something waits for its turn, which it counts, and for
// that in which a caller is waited for. It is for one goroutine.
type stopwatch struct {
	// ctx ends when the time is over or the parent ends.
	ctx    context.Context //nolint:containedctx // that is what a stopwatch makes
	cancel context.CancelCauseFunc
	timer  *time.Timer
	left   time.Duration
	since  time.Time
	// queued is the time spent waiting for turns so far.
	queued  time.Duration
	waiting time.Time
}

func newStopwatch(parent context.Context, limit time.Duration) *stopwatch {
	ctx, cancel := context.WithCancelCause(parent)
	return &stopwatch{
		ctx:    ctx,
		cancel: cancel,
		timer:  time.AfterFunc(limit, func() { cancel(readTimeoutError{}) }),
		left:   limit,
		since:  time.Now(),
	}
}

func (s *stopwatch) pause() {
	s.timer.Stop()
	s.left -= time.Since(s.since)
}

func (s *stopwatch) resume() {
	s.since = time.Now()
	s.timer.Reset(s.left)
}

// Wait pauses the time while something waits for its turn. It makes the stopwatch a cluster.Waiter.
func (s *stopwatch) Wait() {
	s.pause()
	s.waiting = time.Now()
}

// Go ends the pause.
func (s *stopwatch) Go() {
	s.queued += time.Since(s.waiting)
	s.resume()
}

func (s *stopwatch) stop() {
	s.timer.Stop()
	s.cancel(nil)
}
