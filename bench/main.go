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
	"strings"
	"syscall"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// What bounds a run, whatever hangs. On two idle cores a full one takes about half of it, a short one a third: it is there
// to see that everything works, and on a machine that does other things as well it should not fail for being slow.
const (
	totalTime = 40 * time.Minute
	shortTime = 6 * time.Minute
)

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
	chosen, err := chosen(o.only)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	results, err := openResults(o) // before the work: a page without a place for the table should not cost a run
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.time(), fmt.Errorf("the whole run took longer than %v", o.time()))
	defer cancel()
	rows, err := runCases(ctx, o, chosen, stderr)
	if len(rows) > 0 {
		err = errors.Join(err, report.Write(stdout, results.machine, o.short, rows))
	}
	if err != nil {
		return err // what is kept is whole
	}
	return results.write(rows)
}

// options are the flags.
type options struct {
	only     *regexp.Regexp
	short    bool
	programs string
	profiles string
	json     string
	markdown string
}

func (o options) time() time.Duration {
	if o.short {
		return shortTime
	}
	return totalTime
}

func parse(args []string, stderr io.Writer) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("run", "", "run only the cases in whose name this `REGEXP` matches, anywhere: watch also runs watchers, ^watch$ does not")
	short := flags.Bool("short", false, "a quick form with less of everything, to see that it works")
	programs := flags.String("programs", "", "take aggregator and fleetsim from this `FOLDER`, and do not build them from this source")
	profiles := flags.String("cpuprofile", "", "write a CPU profile of each contestant's rounds into this `FOLDER`; figures then include the profiling")
	data := flags.String("json", "", "write the rows with all their rounds to this `FILE`, if everything worked")
	page := flags.String("markdown", "", "put the table into this `FILE`, in place of the one that it has, if everything worked")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	var empty error
	flags.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" {
			empty = fmt.Errorf("-%s: its value is empty, as that of a variable that is not set", f.Name)
		}
	})
	if empty != nil {
		return options{}, empty
	}
	expression, err := regexp.Compile(*only)
	if err != nil {
		return options{}, fmt.Errorf("-run: %w", err)
	}
	return options{
		only: expression, short: *short, programs: *programs, profiles: *profiles, json: *data, markdown: *page,
	}, nil
}

// runCases runs the cases. One that fails leaves the others.
func runCases(ctx context.Context, o options, chosen []benchCase, stderr io.Writer) ([]report.Row, error) {
	b, err := newBench(ctx, o, stderr)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var rows []report.Row
	var failures []error
	for _, c := range chosen {
		if ctx.Err() != nil {
			failures = append(failures, fmt.Errorf("%s was not begun: %w", c.name, context.Cause(ctx)))
			break
		}
		start := time.Now()
		b.say("%s: %s", c.name, c.work)
		found, err := c.run(ctx, b)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", c.name, overtime(ctx, err)))
			what, _, _ := strings.Cut(err.Error(), "\n") // the log that follows stands in what the run ends with
			b.say("%s: failed: %s", c.name, what)
			continue
		}
		rows = append(rows, found...)
		if err := missedMusts(found); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", c.name, err))
		}
		b.say("%s: done in %.0f s", c.name, time.Since(start).Seconds())
	}
	return rows, errors.Join(failures...)
}

// overtime adds to what failed that the run had no time left, if that is so: it is often the reason.
func overtime(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w", context.Cause(ctx), err)
}

// missedMusts returns an error for each row that says that something does not work.
func missedMusts(rows []report.Row) error {
	var missed []error
	for _, r := range rows {
		if r.Must && r.Verdict() != report.Met {
			missed = append(missed, fmt.Errorf("%s: %s, want %s", r.Work, r.Ours, r.Target))
		}
	}
	return errors.Join(missed...)
}
