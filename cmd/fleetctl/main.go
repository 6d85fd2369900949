// Command fleetctl asks the aggregator about a fleet of Kubernetes clusters: which are there, which are healthy and what
// is wrong with the others, and what a resource looks like in each of them.
//
// It holds no credential of a cluster and dials none: everything it shows comes from fleet.v1.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	// A second interrupt ends the program in the system's own way.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
