package main

import (
	"bufio"
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	"github.com/clusterfleet/clusterfleet/internal/version"
)

// app is one run of the program.
type app struct {
	// stdout gets results and nothing else.
	stdout *bufio.Writer
	stderr io.Writer
	// Whether a person sees what is written.
	stdoutTerminal, stderrTerminal bool

	connection connection
	patience   *patience
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{
		patience: newPatience(), stderr: stderr,
		stdoutTerminal: output.IsTerminal(stdout), stderrTerminal: output.IsTerminal(stderr),
	}
	defer context.AfterFunc(ctx, func() { a.patience.last(0) })() // A signal.
	a.stdout = bufio.NewWriterSize(a.patience.writer(stdout), 64<<10)
	if !a.stderrTerminal { // A terminal is read, and the progress must know that it is one.
		a.stderr = a.patience.writer(stderr)
	}
	root := a.root() //nolint:contextcheck // cobra hands ctx to the commands.
	root.SetArgs(args)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if unwritten := a.stdout.Flush(); unwritten != nil {
		err = unwritten // Whatever else failed came of it.
	}
	return a.exit(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetctl",
		Short: "Ask a fleet of Kubernetes clusters",
		Long: `Ask a fleet of Kubernetes clusters: which are there, which are healthy and what is wrong with the others, and what a
resource looks like in each of them. Every question is one call of the aggregator, which streams the answers.

The aggregator's address and the flags of the connection are read from the flag, from FLEETCTL_SERVER (the address), or
from the configuration file, in this order. The file is YAML; its keys are the names of the global flags; paths in it are
relative to it.

Exit codes: 0 done, 1 failed, 2 usage, 3 some selected cluster is unhealthy or failed, or none is selected
(probe, wait; get and hibernation with --require-complete), or objects differ (diff), 4 not authenticated, 124 the deadline
passed, 130 interrupted, 143 terminated.`,
		Example: `  fleetctl clusters
  fleetctl probe -l env=prod
  fleetctl watch
  fleetctl get pods -A`,
		Args:          noCommand,
		RunE:          help,
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		Version:                    version.String(),
	}
	root.SetFlagErrorFunc(flagError)
	a.connection.register(root.PersistentFlags())
	root.AddCommand(a.clustersCommand(), a.probeCommand(), a.getCommand(), a.diffCommand(), a.apiResourcesCommand(), a.hibernationCommand(),
		a.watchCommand(), a.historyCommand(), a.overviewCommand(), a.waitCommand(), a.versionCommand())
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = helpTopic
		}
		if !cmd.Runnable() { // Only commands that run have their arguments checked.
			cmd.RunE = help
		}
	}
	argumentsAreUsage(root)
	return root
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// coloured tells whether stdout is shown in colours; users may forbid it: https://no-color.org.
func (a *app) coloured() bool {
	return a.stdoutTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// plain is stdout for text whose characters are not escaped already.
func (a *app) plain() io.Writer {
	if a.stdoutTerminal {
		return output.Escaped(a.stdout)
	}
	return a.stdout
}
