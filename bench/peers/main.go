// Command peers does what the product does in other ways, for the benchmarks to measure beside it: with client-go in the
// shapes that people write, with kubectl under xargs, and with blackbox_exporter and cloudprober. It speaks the protocol of
// bench/internal/child and knows nothing of the product. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 2 || args[0] != child.Command {
		return errors.New("usage: peers child JOB; it is started by the benchmarks")
	}
	return child.Run(ctx, args[1], newWorker, stdin, stdout)
}

func newWorker(j child.Job) (child.Worker, error) {
	switch j.Role {
	case "kubectl":
		return &kubectl{job: j}, nil
	case "blackbox_exporter":
		return &blackbox{job: j}, nil
	case "cloudprober":
		return &cloudprober{job: j}, nil
	}
	if client := clients()[j.Role]; client != nil {
		return &fanOut{job: j, client: client}, nil
	}
	return nil, fmt.Errorf("no peer has the role %q", j.Role)
}
