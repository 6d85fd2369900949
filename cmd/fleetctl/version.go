package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/internal/version"
)

// serverPatience bounds how long `version` waits for the aggregator.
const serverPatience = 2 * time.Second

func (a *app) versionCommand() *cobra.Command {
	var clientOnly bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print fleetctl's version and whether the aggregator answers",
		Long: `Print fleetctl's version and whether the aggregator answers (grpc.health.v1): where it does not, the exit
code is 1.`,
		Example: `  fleetctl version
  fleetctl version --client`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintf(a.stdout, "Client: fleetctl %s (%s, %s/%s)\n", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if clientOnly {
				return nil
			}
			return a.serverState(cmd)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&clientOnly, "client", false, "print the client's version only, ask no aggregator")
	return cmd
}

func (a *app) serverState(cmd *cobra.Command) error {
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	serving, err := c.Serving(ctx, "")
	switch {
	case cmd.Context().Err() != nil:
		return err
	case status.Code(err) == codes.DeadlineExceeded:
		return exitError{exitFailed, fmt.Sprintf("the aggregator at %s does not answer within %s", c.Address(), min(serverPatience, a.connection.timeout))}
	case err != nil:
		return err
	}
	state := "not serving"
	if serving {
		state = "serving"
	}
	fmt.Fprintf(a.stdout, "Server: %s: %s\n", c.Address(), state)
	return nil
}
