// Command bench measures the product on a simulated fleet, beside the least that the work can take and other ways to do
// it, all in one run, and prints one table. It judges no times: it fails only if something did not work.
//
// Every program that is measured runs in a process of its own, so that its processor time and memory are nobody else's;
// the simulator's are never counted. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// totalTime bounds a run, whatever hangs. A run takes about half of it.
const totalTime = 10 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 2 && args[0] == child.Command {
		return child.Run(ctx, args[1], newWorker, stdin, stdout)
	}
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	rows, err := runCases(ctx, o, stderr)
	if len(rows) > 0 {
		err = errors.Join(err, report.Write(stdout, rows))
	}
	return err
}

// options are the flags.
type options struct {
	only     *regexp.Regexp
	short    bool
	programs string
	profiles string
}

func parse(args []string, stderr io.Writer) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("run", "", "run only the cases whose name matches this `REGEXP`")
	short := flags.Bool("short", false, "a quick form with less of everything, to see that it works")
	programs := flags.String("programs", "", "take aggregator and fleetsim from this `FOLDER`; empty builds them from this source")
	profiles := flags.String("cpuprofile", "", "write a CPU profile of each contestant's rounds into this `FOLDER`; figures then include the profiling")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	expression, err := regexp.Compile(*only)
	if err != nil {
		return options{}, fmt.Errorf("-run: %w", err)
	}
	return options{only: expression, short: *short, programs: *programs, profiles: *profiles}, nil
}

// runCases runs the chosen cases. One that fails leaves the others.
func runCases(ctx context.Context, o options, stderr io.Writer) ([]report.Row, error) {
	b, err := newBench(ctx, o, stderr)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var rows []report.Row
	var failures []error
	for _, c := range cases() {
		if !o.only.MatchString(c.name) {
			continue
		}
		start := time.Now()
		b.say("%s: %s", c.name, c.work)
		found, err := c.run(ctx, b)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", c.name, err))
			b.say("%s: failed: %v", c.name, err)
			continue
		}
		rows = append(rows, found...)
		b.say("%s: done in %.0f s", c.name, time.Since(start).Seconds())
	}
	return rows, errors.Join(failures...)
}
