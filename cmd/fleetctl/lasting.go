package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// timeGiven tells whether the command line itself says how long the command may take. A command that goes on until it is
// interrupted heeds nothing else: the configuration's timeout is for calls. It must be asked before dial.
func timeGiven(cmd *cobra.Command) bool { return cmd.Flags().Changed("timeout") }

// lasting is the context of a command that goes on until it is interrupted, or for --timeout where that is given.
func (a *app) lasting(ctx context.Context, given bool) (context.Context, context.CancelFunc) {
	if given {
		return a.bounded(ctx)
	}
	return context.WithCancel(ctx)
}

// timeOver tells that a call ended because the time of the command ran out; the aggregator may notice first.
func timeOver(ctx context.Context, err error) bool {
	if _, bounded := ctx.Deadline(); !bounded {
		return false
	}
	return errors.Is(ctx.Err(), context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded
}

// over says that the time ran out in which a command did what it is for.
func (a *app) over() error {
	return exitError{exitDeadline, "the time of " + a.connection.timeout.String() + " ran out (--timeout)"}
}
