package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// diffFlags are the flags of one `diff`.
type diffFlags struct {
	selection
	fanout
	trial
	objectSelection
	printing

	against         string
	ignore          []string
	includeEqual    bool
	requireComplete bool
	allWarnings     bool
}

func (a *app) diffCommand() *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff RESOURCE[.VERSION][.GROUP] [NAME] | RESOURCE/NAME",
		Short: "Show how objects differ from cluster to cluster",
		Long: `Show how one object, or each object of a selection, differs from cluster to cluster. Status, fields that API servers set
and what --ignore names do not count as differences; of Secrets only digests are compared and shown.

For each object that is not the same everywhere: which clusters have which form of it, which lack it, and unified diffs of
its forms as YAML. The baseline is the form that most clusters have or, with --against, that of one cluster; where that
cluster lacks the object, it is the former again. An object gets at most 10 diffs. A table shortens lists of clusters; -o wide
names all of them.

-o json and yaml print {"items": […], "clusters": […], "totals": {…}, "summary": {…}}, jsonl each message of the call.

A cluster that could not be read takes no part and is a warning on stderr, of which --all-warnings shows all; one that
does not serve the type lacks all of its objects. The last line counts objects. Exit code 0 where all are the same, 3 where
some differ or are missing somewhere (with --require-complete also where a cluster could not be read), 1 where fewer than two
clusters could be read. 124: the time ran out (--timeout); what was read by then is compared,
and objects that there was no time to show are counted.`,
		Example: `  fleetctl diff deployment web -n shop
  fleetctl diff deploy -A --clusters env=prod --ignore spec.replicas
  fleetctl diff configmaps -n shop --against prod-1 -o wide
  fleetctl diff secrets -n shop --field-selector type=Opaque --include-equal
  fleetctl diff deploy -n shop --ignore "metadata.annotations['example.com/owner']" --ignore 'spec.template.spec.containers[*].image'
  fleetctl diff deploy -A -o jsonl | jq -r 'select(.object) | .object.namespace + "/" + .object.name'`,
		Args: func(_ *cobra.Command, args []string) error {
			_, err := parseObject(args)
			return err
		},
		RunE:              func(cmd *cobra.Command, args []string) error { return a.diff(cmd, args, f) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	f.objectSelection.register(flags, "objects", "default")
	f.registerFields(flags)
	f.registerClusters(cmd, a.completeClusters)
	f.registerStates(cmd)
	f.fanout.register(flags, "(default 30s); a server that sends nothing is given up after 10s")
	f.trial.register(flags)
	flags.StringVar(&f.against, "against", "", "the cluster that the others are compared with (default: what most clusters have)")
	flags.StringArrayVar(&f.ignore, "ignore", nil, "a path that does not count, such as spec.replicas; may be repeated")
	flags.BoolVar(&f.includeEqual, "include-equal", false, "show objects that are the same everywhere, too")
	flags.StringVarP(&f.text, "output", "o", "table", "table, wide, json, yaml or jsonl")
	flags.BoolVar(&f.requireComplete, "require-complete", false, "exit with code 3 where a cluster could not be read, or none is selected")
	flags.BoolVar(&f.allWarnings, "all-warnings", false, "name every cluster that could not be read, not only the first ones")
	mustComplete(cmd, "output", cobra.FixedCompletions(diffKinds(), cobra.ShellCompDirectiveNoFileComp))
	mustComplete(cmd, "against", a.completeClusters)
	return cmd
}

func diffKinds() []string { return []string{"table", "wide", "json", "yaml", "jsonl"} }

func (a *app) diff(cmd *cobra.Command, args []string, f diffFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	if err := only(format, "", output.Table, output.Wide, output.JSON, output.YAML, output.JSONL); err != nil {
		return err
	}
	wanted, err := parseObject(args)
	if err != nil {
		return err
	}
	req, err := f.request(cmd, wanted)
	if err != nil {
		return err
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()

	stream := c.CompareManifests(ctx, req)
	found := &differences{wanted: wanted, flags: f, format: format}
	failed := a.collectDifferences(stream, found)
	return a.conclude(cmd.Context(), ended{
		failed: failed, started: stream.Started(), write: func() error { return a.printDifferences(found, stream.Summary()) },
		answered: len(found.clusters), failures: found.failures, allWarnings: f.allWarnings,
		outcome: func() error { return a.diffOutcome(found, stream.Summary()) },
	})
}

// request checks the flags here, so that a mistake is reported without a call.
func (f *diffFlags) request(cmd *cobra.Command, wanted object) (*fleetv1.CompareManifestsRequest, error) {
	selector, err := f.selector("--clusters")
	err = cmp.Or(f.fanout.check(cmd.Flags()), err, f.objectSelection.check(cmd.Flags(), wanted.name), isText("--against", f.against))
	for _, path := range f.ignore {
		err = cmp.Or(err, isText("--ignore", path))
	}
	if err != nil {
		return nil, err
	}
	return &fleetv1.CompareManifestsRequest{
		Selector: selector, PerClusterTimeout: f.timeout(), MaxConcurrency: f.limit,
		ResourceType: wanted.resource, Namespace: f.in(), Name: wanted.name,
		LabelSelector: f.labelSelector, FieldSelector: f.fieldSelector,
		Against: f.against, Ignore: f.ignore, IncludeEqual: f.includeEqual, IncludeUnreachable: f.includeUnreachable,
	}, nil
}

// collectDifferences prints what is printed as it comes, keeps the rest, and returns the call's error.
func (a *app) collectDifferences(stream *client.CompareStream, found *differences) error {
	progress := a.showProgress("reading", true)
	defer progress.stop()
	for event, err := range stream.Events() {
		if err != nil {
			return err
		}
		if started := event.GetStarted(); started != nil {
			progress.expect(started.GetExpected())
		}
		if cluster := event.GetCluster(); cluster != nil {
			found.cluster(cluster)
			progress.done(cluster.GetCompletion().GetError() != nil)
		}
		if totals := event.GetTotals(); totals != nil {
			found.totals = totals
		}
		if err := a.difference(event, found); err != nil {
			return err
		}
	}
	return nil
}
