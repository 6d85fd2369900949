package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// watchFlags are the flags of one `watch`.
type watchFlags struct {
	selection
	printing

	once bool
}

func (a *app) watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch [NAME…]",
		Short: "Show the clusters' live state, then every change as it comes",
		Long: `Show the clusters with the state that the continuous monitor knows, then a line a change: when it came, the cluster, its
state or the one that it changed from and to, the reason and the message. Nothing is polled: the aggregator sends what changes.
With --state, a cluster that comes into another state is REMOVED.

-o jsonl prints each message of the stream (started, changed, removed, synced), -o name the name of each cluster that is sent
or changes. --once ends once the clusters as they are have been sent; then the other forms of output are for use, too, and
json prints {"items": […]}.

Where the aggregator stops or a connection breaks, the watch goes on behind the last change; a line on stderr says so. After
2 minutes without success it fails. It goes on until it is interrupted (exit code 130); --timeout on the command line
bounds it (exit code 124), the configuration's timeout does not.`,
		Example: `  fleetctl watch
  fleetctl watch prod-1 prod-2
  fleetctl watch -l env=prod --once -o wide
  fleetctl watch -o jsonl | jq -c 'select(.changed) | [.changed.cluster, .changed.state]'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.names = names
			return a.watch(cmd, f)
		},
		ValidArgsFunction: a.completeClusters,
	}
	f.registerLabels(cmd)
	f.registerStates(cmd)
	f.register(cmd)
	cmd.Flags().BoolVar(&f.once, "once", false, "end once the clusters as they are have been sent")
	return cmd
}

func (a *app) watch(cmd *cobra.Command, f watchFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	if !f.once {
		if err := only(format, "; the others need --once", output.Table, output.Wide, output.JSONL, output.Name); err != nil {
			return err
		}
	}
	selector, err := f.selector("-l")
	if err != nil {
		return err
	}
	given := timeGiven(cmd)
	c, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := a.lasting(cmd.Context(), given || f.once)
	defer cancel()
	v := &view{app: a, format: format, flags: f, board: newBoard(), ticker: ticker{app: a}}
	for event, err := range c.Watch(ctx, &fleetv1.WatchClusterHealthRequest{Selector: selector}) {
		if err != nil {
			return v.end(ctx, err)
		}
		if err := v.take(event); err != nil {
			return err
		}
		if f.once && event.GetSynced() != nil {
			return nil
		}
	}
	return nil
}

// view prints a watch.
type view struct {
	app    *app
	format output.Format
	flags  watchFlags
	board  *board
	ticker ticker
	// began and shown tell that the watch has started, and that the clusters as they were have been printed.
	began, shown bool
}

func (v *view) take(event *fleetv1.WatchClusterHealthResponse) error {
	again := v.began && event.GetStarted() != nil
	v.began = true
	if v.format.Kind == output.JSONL {
		return v.app.message(event)
	}
	if again {
		v.app.resumed(event.GetStarted())
	}
	changes := v.board.take(event)
	if v.format.Kind != output.Name && !v.shown {
		if event.GetSynced() == nil {
			return nil
		}
		v.shown = true
		return v.snapshot()
	}
	for _, c := range changes {
		if err := v.news(c); err != nil {
			return err
		}
	}
	return nil
}

// end prints what came before the watch was to be shown, and returns the error with which the command ends.
func (v *view) end(ctx context.Context, err error) error {
	if early := !v.shown && len(v.board.known) > 0; early && v.format.Kind != output.Name {
		if err := v.snapshot(); err != nil {
			return err
		}
	}
	if v.began && timeOver(ctx, err) {
		return v.app.over()
	}
	return err
}

// cutOff says on stderr that what a watch has shown may be old.
func (a *app) cutOff(ctx context.Context, err error) {
	fmt.Fprintln(a.stderr, "the watch is cut, and tried again for 2 minutes: "+a.describe(ctx, err))
}

// resumed says on stderr that a watch was cut and goes on.
func (a *app) resumed(started *fleetv1.WatchClusterHealthResponse_Started) {
	what := "what has changed meanwhile follows"
	if started.GetReset_() {
		what = "the aggregator does not know what was sent before and sends all anew"
	}
	fmt.Fprintln(a.stderr, "watching again: "+what)
}

func (v *view) snapshot() error {
	found := v.board.all()
	for _, l := range found {
		v.ticker.fits(l.cluster.GetName())
	}
	if v.format.Kind == output.Table || v.format.Kind == output.Wide {
		if err := v.app.printClusters(found, v.format, v.flags.printing); err != nil {
			return err
		}
		return v.app.stdout.Flush()
	}
	health := make([]*fleetv1.ClusterHealth, 0, len(found))
	for _, l := range found {
		health = append(health, l.health)
	}
	items, err := encoded(health)
	if err != nil {
		return err
	}
	return v.app.document(v.flags.printing, v.format, items, nil)
}

func (v *view) news(c change) error {
	n, ok := newsOf(c)
	switch {
	case !ok:
		return nil
	case v.format.Kind == output.Name:
		if err := v.app.name(n.cluster); err != nil {
			return err
		}
		return v.app.stdout.Flush()
	}
	return v.ticker.show(n)
}
