package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// probeFlags are the flags of one `probe`.
type probeFlags struct {
	selection
	fanout
	printing

	quick    bool
	watch    bool
	interval time.Duration
}

func (a *app) probeCommand() *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe [NAME…]",
		Short: "Test the connection to clusters now and say what is wrong with those that fail",
		Long: `Test the connection to clusters now: name, connection, TLS, credential, rights and readiness. Where a cluster is not
healthy, REASON and MESSAGE say what is wrong and -o wide adds whose fault it is, each check's time, and what mends it.

Results are printed in the order of the clusters' names once all are there; -o jsonl prints each message of the stream
(started, result, summary) and -o name each cluster as it comes. -o json prints {"items": […], "summary": {…}}; jsonpath
and custom-columns read the same document.

--watch repeats the probe each --interval until it is interrupted: the first round prints all results, each other one the
clusters whose state, reason or message has changed, a line each (-o name: the name; -o jsonl: the result). A round that
fails is a warning on stderr. --timeout on the command line bounds the whole; else a round has the configuration's or the
default time. To be told of changes without probing, use "watch".

Exit code 3: a selected cluster is not healthy (without --watch), or none is selected. 124: the time ran out (--timeout); what was found by then is printed.`,
		Example: `  fleetctl probe
  fleetctl probe prod-1 prod-2
  fleetctl probe -l env=prod -o wide
  fleetctl probe --quick --timeout 10s --limit 64
  fleetctl probe --state unreachable
  fleetctl probe --quick --watch --interval 10s
  fleetctl probe -o jsonl | jq -c 'select(.result.error) | [.result.cluster, .result.error.message]'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.names = names
			return a.probe(cmd, f)
		},
		ValidArgsFunction: a.completeClusters,
	}
	f.registerLabels(cmd)
	cmd.Flags().BoolVar(&f.quick, "quick", false, "only ask for readiness, on a connection that is kept open")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "repeat the probe until interrupted and print what has changed")
	cmd.Flags().DurationVar(&f.interval, "interval", 10*time.Second, "time from the start of one round to the next one's, with --watch")
	mustComplete(cmd, "interval", cobra.NoFileCompletions)
	f.registerStates(cmd)
	f.fanout.register(cmd.Flags(), "(default 5s)")
	f.printing.register(cmd)
	return cmd
}

func (a *app) probe(cmd *cobra.Command, f probeFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	selector, err := f.selector("-l")
	if err != nil {
		return err
	}
	if err := f.check(cmd.Flags()); err != nil {
		return err
	}
	if err := f.checkWatch(cmd, format); err != nil {
		return err
	}
	given := timeGiven(cmd)
	c, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := a.lasting(cmd.Context(), given || !f.watch)
	defer cancel()
	req := &fleetv1.ProbeClustersRequest{
		Selector: selector, PerClusterTimeout: f.timeout(), MaxConcurrency: f.limit, Depth: fleetv1.Verdict_DEPTH_FULL,
	}
	if f.quick {
		req.Depth = fleetv1.Verdict_DEPTH_QUICK
	}
	if f.watch {
		r := &repeated{
			app: a, client: c, req: req, format: format, flags: f, bounded: given,
			latest: map[string]*fleetv1.ProbeResult{}, ticker: ticker{app: a},
		}
		return r.run(ctx)
	}
	stream := c.ProbeClusters(ctx, req)
	found, failed := a.collectProbes(stream, format)
	return a.conclude(cmd.Context(), ended{
		failed: failed, started: stream.Started(), write: func() error { return a.printProbes(found, stream.Summary(), format, f.printing) },
		answered: len(found),
		outcome:  func() error { return a.outcome(stream.Summary(), cut(stream.Summary(), found), true) },
	})
}

// checkWatch checks the flags of a probe that is repeated.
func (f *probeFlags) checkWatch(cmd *cobra.Command, format output.Format) error {
	switch {
	case !f.watch && cmd.Flags().Changed("interval"):
		return usagef("--interval is for --watch")
	case !f.watch:
		return nil
	case f.interval < minInterval:
		return usagef("--interval must be at least %s, not %s", minInterval, f.interval)
	}
	return only(format, "", output.Table, output.Wide, output.JSONL, output.Name)
}

// collectProbes returns the results; those kinds of output that need no whole are printed meanwhile.
func (a *app) collectProbes(stream *client.ProbeStream, format output.Format) (found []*fleetv1.ProbeResult, err error) {
	progress := a.showProgress("probing", format.Kind == output.JSONL || format.Kind == output.Name)
	defer progress.stop()
	for event, err := range stream.Events() {
		if err != nil {
			return found, err
		}
		if started := event.GetStarted(); started != nil {
			progress.expect(started.GetExpected())
		}
		if format.Kind == output.JSONL {
			if err := a.message(event); err != nil {
				return found, err
			}
		}
		result := event.GetResult()
		if result == nil {
			continue
		}
		if format.Kind == output.Name {
			if err := errors.Join(a.name(result.GetCluster()), a.stdout.Flush()); err != nil {
				return found, err
			}
		}
		found = append(found, result)
		progress.done(result.GetError() != nil)
	}
	return found, nil
}

// printProbes prints the results, and on stderr the summary in one line: where a table is read, or something failed.
func (a *app) printProbes(found []*fleetv1.ProbeResult, summary *fleetv1.Summary, format output.Format, p printing) error {
	if err := a.printResults(found, summary, format, p); err != nil {
		return err
	}
	if err := a.stdout.Flush(); err != nil { // The results come first where both go to one place.
		return err
	}
	table := format.Kind == output.Table || format.Kind == output.Wide
	if table && summary.GetExpected() > 0 || format.Kind != output.JSONL && unread(summary) > 0 {
		fmt.Fprintln(a.stderr, tally(summary))
	}
	return nil
}

func (a *app) printResults(found []*fleetv1.ProbeResult, summary *fleetv1.Summary, format output.Format, p printing) error {
	switch format.Kind {
	case output.JSONL, output.Name:
		return nil
	case output.Table, output.Wide:
		return a.probeTable(found, format.Kind == output.Wide, p.noHeadings)
	default:
		sortProbes(found)
		items, err := encoded(found)
		if err != nil {
			return err
		}
		return a.document(p, format, items, summary)
	}
}
