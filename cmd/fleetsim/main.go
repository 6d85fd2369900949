// Command fleetsim runs a simulated fleet of Kubernetes API servers on this machine's loopback addresses, to try
// Clusterfleet and to load-test an installation of it. See docs/fleetsim.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// gcPercent trades a little time of the garbage collector for a quarter of the memory of a fleet of thousands.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(err))
}

// run is the whole program: it ends when ctx does. What went wrong stands in one line on stderr when it returns.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cmd := newCommand(ctx, stdout, stderr)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "fleetsim: %v\n", err)
	}
	return err
}

// usageError is a fault of who called the program.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	switch usage := (usageError{}); {
	case err == nil:
		return 0
	case errors.As(err, &usage), errors.Is(err, simulator.ErrInvalid):
		return 2
	default:
		return 1
	}
}
