// Command fleetctl asks the aggregator about a fleet of Kubernetes clusters: which are there, which are healthy and what
// is wrong with the others, and what a resource looks like in each of them.
//
// It holds no credential of a cluster and dials none: everything it shows comes from fleet.v1.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		first := <-signals
		signal.Stop(signals) // A second signal ends the program in the system's own way.
		cancel(stopped{terminated: first == syscall.SIGTERM})
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
