package main

import (
	"context"
	"fmt"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// noClusters says that the selection is empty: where clusters had to be well, perhaps for a slip in a selector.
const noClusters = "No clusters found."

// ended is a call over many clusters that is over, well or not.
type ended struct {
	// failed is the call's error; started is nil where it failed before it began.
	failed  error
	started *fleetv1.Started
	// write prints what was found and not printed as it came.
	write func() error
	// answered is how many clusters did, failures what could not be read, allWarnings whether all of these are wanted.
	answered    int
	failures    []failure
	allWarnings bool
	// outcome turns what a call that ended well found into what the command returns.
	outcome func() error
}

// conclude prints what a call has found, however it ended, and returns what the command does.
func (a *app) conclude(ctx context.Context, e ended) error {
	if e.failed != nil && e.started == nil {
		return e.failed
	}
	if err := e.write(); err != nil {
		return err
	}
	if err := a.stdout.Flush(); err != nil { // The results come first where both go to one place.
		return err
	}
	if e.failed != nil {
		a.warn(e.failures, e.allWarnings)
		return a.partial(ctx, e)
	}
	return e.outcome()
}

// outcome turns the summary of a call that ended well into what the command returns. cut is how many clusters have no whole
// result where the time ran out; complete asks that there are clusters and that none failed.
func (a *app) outcome(s *fleetv1.Summary, cut int32, complete bool) error {
	switch {
	case s.GetDeadlineExceeded():
		return exitError{exitDeadline, fmt.Sprintf("the time of %s ran out (--timeout): %d of %d clusters have no whole result", a.connection.timeout, cut, s.GetExpected())}
	case complete && s.GetExpected() == 0:
		return exitError{exitUnhealthy, noClusters}
	case complete && unread(s) > 0:
		return exitError{code: exitUnhealthy}
	}
	return nil
}

// partial adds to the error of a call that broke off how much of it was printed.
func (a *app) partial(ctx context.Context, e ended) error {
	return exitError{exitCode(ctx, e.failed), fmt.Sprintf("%s; %d of %d clusters answered before", a.describe(ctx, e.failed), e.answered, e.started.GetExpected())}
}

// unread is how many clusters have no whole result.
func unread(s *fleetv1.Summary) int32 { return s.GetFailed() + s.GetTruncated() + s.GetNotAttempted() }
