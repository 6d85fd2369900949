package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// defaultJobs is how many mutants are tested at once: while one waits, the other compiles.
const defaultJobs = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	match := flags.String("run", ".*", "only the mutants whose whole name matches this `regexp`")
	jobs := flags.Int("jobs", defaultJobs, "how many mutants are tested at once")
	list := flags.Bool("list", false, "say which mutants there are, and test none")
	root := flags.String("root", "", "the `directory` of the module (default: where this source is)")
	patches := flags.String("patches", "test/mutants/patches", "the `directory` of the patches, from the root")
	if err := flags.Parse(args); err != nil {
		return err
	}
	names, err := regexp.Compile("^(?:" + *match + ")$")
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %s: did you mean -run %[1]s?", flags.Arg(0))
	}
	if *jobs < 1 {
		return fmt.Errorf("-jobs %d: it takes at least one", *jobs)
	}
	if *root == "" {
		if *root, err = source(ctx); err != nil {
			return err
		}
	}
	module, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(*patches) {
		*patches = filepath.Join(module, *patches)
	}
	mutants, err := readMutants(*patches, names)
	if err != nil {
		return err
	}
	t := newTable(stdout, mutants)
	if *list {
		t.list()
		return nil
	}
	start := time.Now()
	if err := baseline(ctx, module, mutants, *jobs); err != nil {
		return err
	}
	t.begin(time.Since(start))
	kill := func(ctx context.Context, m mutant) ([]string, error) { return m.kill(ctx, module) }
	for r := range fanout.Each(ctx, slices.Values(mutants), *jobs, kill) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.add(r)
	}
	return t.end(time.Since(start))
}

// source returns where the source is: the go command finds it from any folder in there.
func source(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/clusterfleet/clusterfleet").Output()
	if err != nil {
		return "", fmt.Errorf("there is no source of clusterfleet here, run this from within it or give -root: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
}
