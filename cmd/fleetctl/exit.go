package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/client"
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
	exitTerminated      = 143
)

// exitError ends the program with a code of its own. Its text may be empty: then everything is said already.
type exitError struct {
	code int
	text string
}

func (e exitError) Error() string { return e.text }

// stopped is the cause of a run that a signal ended.
type stopped struct{ terminated bool }

func (s stopped) Error() string {
	if s.terminated {
		return "terminated"
	}
	return "interrupted"
}

func (s stopped) code() int {
	if s.terminated {
		return exitTerminated
	}
	return exitInterrupted
}

// stop is how a run was ended that ended before its time.
func stop(ctx context.Context) stopped {
	s, _ := errors.AsType[stopped](context.Cause(ctx))
	return s
}

// exit says on stderr, in one line, why the run failed and returns its code.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitFailed // Whoever read the results has enough of them.
	}
	code := exitCode(ctx, err)
	switch text := a.describe(ctx, err); text {
	case "":
	case noClusters: // As other commands say it that found nothing.
		fmt.Fprintln(a.stderr, text)
	default:
		fmt.Fprintln(a.stderr, "error: "+safetext.Clean(text))
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	var exit exitError
	var usage usageError
	switch {
	case ctx.Err() != nil:
		return stop(ctx).code()
	case errors.Is(err, errUnread):
		return exitDeadline
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage):
		return exitUsage
	}
	if unreachable, ok := errors.AsType[*client.ConnectError](err); ok && unreachable.CertificateRefused() {
		return exitUnauthenticated
	}
	if unknownCluster(err) {
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

// unknownCluster tells that the command line names clusters that the fleet does not have.
func unknownCluster(err error) bool {
	return status.Code(err) == codes.NotFound && client.Reason(err) == "CLUSTER_NOT_FOUND"
}
