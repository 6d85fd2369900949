package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// The exit codes.
const (
	exitDone            = 0
	exitFailed          = 1
	exitUsage           = 2
	exitUnhealthy       = 3
	exitUnauthenticated = 4
	exitDeadline        = 124
	exitInterrupted     = 130
)

// exitError ends the program with a code of its own. Its text may be empty: then everything is said already.
type exitError struct {
	code int
	text string
}

func (e exitError) Error() string { return e.text }

// exit says on stderr, in one line, why the run failed and returns its code.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitFailed // Whoever read the results has enough of them.
	}
	code := exitCode(ctx, err)
	if text := a.describe(ctx, err); text != "" {
		fmt.Fprintln(a.stderr, "error: "+safetext.Clean(text))
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	var exit exitError
	var usage usageError
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage):
		return exitUsage
	}
	switch status.Code(err) {
	case codes.InvalidArgument:
		return exitUsage
	case codes.Unauthenticated:
		return exitUnauthenticated
	case codes.DeadlineExceeded:
		return exitDeadline
	default:
		return exitFailed
	}
}
