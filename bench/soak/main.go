// Command soak runs the aggregator for a long time on a fleet that keeps failing, with callers who come and go, and
// judges whether what it takes grows: its live heap, goroutines, open files and connections. It fails if something grows, or
// if a call goes wrong in a way that it should not; that something cannot be told has an exit code of its own. See docs/soak.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// overtime is what a run may take beyond its duration: to build, to start and to end.
const overtime = 5 * time.Minute

// minClusters is the smallest fleet of which some clusters may fail and some be exchanged.
const minClusters = 20

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(exitCode(err))
	}
}

// exitCode tells a run that was too short for a verdict from one that has shown something. 2 is that of the flag package,
// and of a Go program that crashes.
func exitCode(err error) int {
	if errors.Is(err, errUndecided) {
		return 3
	}
	return 1
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, o.duration+overtime)
	defer cancel()
	findings, err := soak(bounded, o, stderr)
	if err != nil && ctx.Err() != nil {
		return interrupted(o.csv)
	}
	if err != nil {
		return err
	}
	if err := write(stdout, findings); err != nil {
		return err
	}
	return conclude(findings)
}

// interrupted is the error of a run that was told to end: what fails then follows from that. csv is where its samples are.
func interrupted(csv string) error {
	if csv == "" {
		return errInterrupted
	}
	return fmt.Errorf("%w; rows so far are in %s", errInterrupted, csv)
}

var errInterrupted = errors.New("interrupted")

// options are the flags.
type options struct {
	duration time.Duration
	clusters int
	seed     uint64
	csv      string // empty: nowhere
	programs string // empty: built from this source
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.duration, "duration", 30*time.Minute, "run for this `TIME`; less than 10 minutes tell only that it works")
	flags.IntVar(&o.clusters, "clusters", 1000, "how many clusters the fleet has")
	flags.Uint64Var(&o.seed, "seed", 1, "decides what fails when, and what callers do")
	flags.StringVar(&o.csv, "csv", "", "write what was measured into this `FILE`, as it is measured")
	flags.StringVar(&o.programs, "programs", "", "take aggregator and fleetsim from this `FOLDER`; empty builds them from this source")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case o.duration < shortest:
		return o, fmt.Errorf("-duration must be at least %s, not %s", shortest, o.duration)
	case o.clusters < minClusters || o.clusters > simulator.MaxClusters:
		return o, fmt.Errorf("-clusters must be from %d to %d, not %d", minClusters, simulator.MaxClusters, o.clusters)
	}
	return o, nil
}
