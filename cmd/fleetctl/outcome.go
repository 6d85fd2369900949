package main

import (
	"context"
	"fmt"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// noClusters says that the selection is empty: where clusters had to be well, perhaps for a slip in a selector.
const noClusters = "No clusters found."

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
func (a *app) partial(ctx context.Context, err error, done int, started *fleetv1.Started) error {
	return exitError{exitCode(ctx, err), fmt.Sprintf("%s; %d of %d clusters answered before", a.describe(ctx, err), done, started.GetExpected())}
}

// unread is how many clusters have no whole result.
func unread(s *fleetv1.Summary) int32 { return s.GetFailed() + s.GetTruncated() + s.GetNotAttempted() }
