// Command fuzz runs every fuzz target of the modules for some time, a few at once, and prints a table of what came of
// each. It finds the targets by itself. It ends with 1 where a target has failed or hangs, or where its time was too short to
// try anything but the inputs that were known, and tells how to run the input again that made it fail; Go has written that
// into the testdata/fuzz of the target's package, to be kept as a test.
//
//	go run ./test/fuzz -time 1m -only 'Redact|Reader' . test/apiserver
//
// Inputs that are new without failing stay in Go's build cache, where the next run finds them (go clean -fuzzcache).
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	each    time.Duration // how long a target is fuzzed
	stall   time.Duration // without a new input tried: it hangs
	memory  int64         // bytes that a process may have
	jobs    int           // targets at once
	only    *regexp.Regexp
	modules []string // their folders
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.each, "time", time.Minute, "how long each target is fuzzed, with trying again the inputs that are known")
	flags.DurationVar(&o.stall, "stall", 30*time.Second, "how long one input may take before the target counts as hanging")
	flags.IntVar(&o.jobs, "jobs", 2, "how many targets are fuzzed at once, a process each and one to lead it")
	memory := flags.Int64("memory", 2048, "MiB that a process may have; half of it is what the garbage collector aims for")
	only := flags.String("only", "", "fuzz only the targets in whose name this `REGEXP` matches, anywhere (default all)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.each < time.Second || o.jobs < 1 || *memory < 256 {
		return o, errors.New("a target needs at least 1s, one job and 256 MiB")
	}
	o.memory = *memory << 20
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.modules = flags.Args(); len(o.modules) == 0 {
		o.modules = []string{"."}
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	var found []target
	for _, module := range o.modules {
		targets, err := find(ctx, module, o.only)
		if err != nil {
			return err
		}
		found = append(found, targets...)
	}
	if len(found) == 0 {
		return fmt.Errorf("-only: no target matches %q in %s", o.only, strings.Join(o.modules, ", "))
	}
	scratch, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	began := time.Now()
	programs, err := build(ctx, found, scratch)
	if err != nil {
		return err
	}
	t := newTable(stdout, found)
	fmt.Fprintf(stdout, "%d targets, %v each, %d at once; built in %v\n", len(found), o.each, o.jobs, time.Since(began).Round(time.Second))
	t.head()
	bad := 0
	for r := range fuzzAll(ctx, found, programs, o) {
		t.row(r)
		if r.verdict.bad() {
			bad++
		}
	}
	fmt.Fprintf(stdout, "%d targets in %v\n", len(found), time.Since(began).Round(time.Second))
	t.failures()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted; %d of %d targets had failed", bad, len(found))
	case bad > 0:
		return fmt.Errorf("%d of %d targets failed or were not fuzzed", bad, len(found))
	}
	return nil
}
