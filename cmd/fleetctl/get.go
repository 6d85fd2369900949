package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// getFlags are the flags of one `get`.
type getFlags struct {
	selection
	fanout
	extent
	objectSelection
	printing

	where           string
	groupBy         string
	requireComplete bool
	allWarnings     bool
	managedFields   bool
	secretData      bool
}

func (a *app) getCommand() *cobra.Command {
	var f getFlags
	cmd := &cobra.Command{
		Use:   "get RESOURCE[.VERSION][.GROUP] [NAME] | RESOURCE/NAME",
		Short: "Show the objects of one resource type in every cluster",
		Long: `Show the objects of one resource type in every cluster, as "kubectl get" does in one. The type may be a plural or
singular name, a kind or a short name; each cluster resolves it. -n, -A, -l and --field-selector select objects as in
kubectl. --clusters takes a label selector over clusters, --cluster the name of one (repeat it for more), --state their
last known state.

A table is what the API servers print, with CLUSTER in front, in the order of the clusters' names, once all have
answered; clusters whose API server prints other columns stand in a block of their own, with its own headings.
custom-columns and jsonpath keep that order, and read the object or the List with its annotation
clusterfleet.io/cluster. -o json and yaml print a List, also for one object, and jsonl an object a line: these, and
-o name (CLUSTER, with -A the NAMESPACE, and TYPE/NAME, with tabs between them), are written as the objects arrive.

--where selects objects by a CEL expression over "object": the aggregator sends those for which it is true; one that lacks
what the expression asks for is not among them. The table is then CLUSTER, NAMESPACE, NAME and AGE. --group-by counts the values
of a path over the fleet: how many objects have each, in how many clusters (-o wide: in which), the most frequent one
first; <none> stands for objects without one. Neither sees the data of Secrets.

A cluster that could not be read is a warning on stderr, of which --all-warnings shows all; the last line counts those that
were read, those that have more objects than --limit-per-cluster, and those whose list changed while it was read. A cluster
that the aggregator knows to be unreachable is not tried, unless with --include-unreachable. Exit code 3 with --require-complete, which also wants that
some cluster is selected, and 1 where none could be read whole. 124: the time ran out (--timeout); what was read by then is printed.`,
		Example: `  fleetctl get pods -A
  fleetctl get deploy -n shop -l app=web --clusters env=prod
  fleetctl get deployments.v1.apps/web -n shop --cluster prod-1 --cluster prod-2
  fleetctl get nodes -o wide --state healthy
  fleetctl get pods -A --limit-per-cluster 10
  fleetctl get configmaps -A -o jsonl | jq -r '.metadata.annotations["clusterfleet.io/cluster"]' | sort | uniq -c
  fleetctl get pods -A --field-selector status.phase!=Running --require-complete
  fleetctl get pods -A --where 'object.status.phase != "Running" && object.spec.nodeName.startsWith("spot-")'
  fleetctl get deploy -A --group-by '{.spec.template.spec.containers[0].image}'
  fleetctl get deploy -n shop -o custom-columns='CLUSTER:.metadata.annotations.clusterfleet\.io/cluster,NAME:.metadata.name'
  fleetctl get pods -n shop -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'`,
		Args: func(_ *cobra.Command, args []string) error {
			_, err := parseObject(args)
			return err
		},
		RunE:              func(cmd *cobra.Command, args []string) error { return a.get(cmd, args, f) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	f.objectSelection.register(flags, "objects", "default")
	f.registerFields(flags)
	flags.StringVar(&f.where, "where", "", "only objects for which this CEL expression is true, such as 'object.spec.replicas > 3'")
	flags.StringVar(&f.groupBy, "group-by", "", "count the values of this JSONPath, such as '{.status.phase}', instead of showing objects")
	f.registerClusters(cmd, a.completeClusters)
	f.registerStates(cmd)
	f.fanout.register(flags, "(default 30s); a server that sends nothing is given up after 10s")
	f.extent.register(flags)
	f.printing.register(cmd)
	flags.BoolVar(&f.requireComplete, "require-complete", false, "exit with code 3 where a cluster could not be read whole, or none is selected")
	flags.BoolVar(&f.allWarnings, "all-warnings", false, "name every cluster that could not be read, not only the first ones")
	flags.BoolVar(&f.managedFields, "show-managed-fields", false, "keep metadata.managedFields")
	flags.BoolVar(&f.secretData, "show-secret-data", false, "keep the data of Secrets; the aggregator must permit it")
	return cmd
}

func (a *app) get(cmd *cobra.Command, args []string, f getFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	wanted, err := parseObject(args)
	if err != nil {
		return err
	}
	req, err := f.request(cmd, wanted, format)
	if err != nil {
		return err
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()

	stream := c.FetchManifests(ctx, req)
	fetch := fetched{sink: a.sink(f, wanted, format)}
	failed := a.collectBatches(stream, &fetch, format)
	return a.conclude(cmd.Context(), ended{
		failed: failed, started: stream.Started(), write: fetch.sink.close,
		answered: fetch.clusters, failures: fetch.failures, allWarnings: f.allWarnings,
		outcome: func() error { return a.fetchOutcome(stream.Summary(), fetch, wanted, f) },
	})
}

// request checks the flags here, so that a mistake is reported without a call.
func (f *getFlags) request(cmd *cobra.Command, wanted object, format output.Format) (*fleetv1.FetchManifestsRequest, error) {
	selector, err := f.selector("--clusters")
	if err := cmp.Or(f.fanout.check(cmd.Flags()), f.extent.check(cmd.Flags()), err,
		f.objectSelection.check(cmd.Flags(), wanted.name), f.checkShape(cmd.Flags(), format)); err != nil {
		return nil, err
	}
	return &fleetv1.FetchManifestsRequest{
		Selector: selector, PerClusterTimeout: f.timeout(), MaxConcurrency: f.limit,
		ResourceType: wanted.resource, Namespace: f.in(), Name: wanted.name,
		LabelSelector: f.labelSelector, FieldSelector: f.fieldSelector, Where: f.where,
		Output:          f.output(format),
		LimitPerCluster: f.limitPerCluster, IncludeUnreachable: f.includeUnreachable, AllowStale: f.allowStale,
	}, nil
}

// output is what is asked for of the objects.
func (f *getFlags) output(format output.Format) *fleetv1.Output {
	o := &fleetv1.Output{Format: wireFormat(format), ManagedFields: f.managedFields, SecretData: f.secretData}
	if template := f.template(format); template != "" {
		o.Format, o.JsonPath = fleetv1.Output_FORMAT_FULL, template
	}
	return o
}

// wireFormat is the form in which objects are asked for: no more than is printed.
func wireFormat(format output.Format) fleetv1.Output_Format {
	switch format.Kind {
	case output.Table, output.Wide:
		return fleetv1.Output_FORMAT_TABLE
	case output.Name:
		return fleetv1.Output_FORMAT_METADATA
	default:
		return fleetv1.Output_FORMAT_FULL
	}
}

// fetched is what became of a fetch so far.
type fetched struct {
	sink     sink
	clusters int
	items    int
	changed  int // clusters whose list changed while it was read
	failures []failure
}

// collectBatches feeds the sink until the stream ends and returns the call's error.
func (a *app) collectBatches(stream *client.FetchStream, f *fetched, format output.Format) error {
	_, counts := f.sink.(*groups)
	streams := !counts && (format.Kind == output.JSONL || format.Kind == output.JSON || format.Kind == output.YAML || format.Kind == output.Name)
	progress := a.showProgress("reading", streams)
	defer progress.stop()
	for event, err := range stream.Events() {
		if err != nil {
			return err
		}
		if started := event.GetStarted(); started != nil {
			progress.expect(started.GetExpected())
		}
		batch := event.GetBatch()
		if batch == nil {
			continue
		}
		bad, err := f.sink.add(batch)
		if err != nil {
			return err
		}
		f.failures = append(f.failures, bad...)
		f.items += len(batch.GetManifests()) + len(batch.GetTable().GetRows()) - len(bad)
		if streams {
			if err := a.stdout.Flush(); err != nil {
				return err
			}
		}
		if batch.GetCompletion() == nil {
			continue
		}
		f.clusters++
		if batch.GetCompletion().GetInconsistent() {
			f.changed++
		}
		if err := client.StatusError(batch.GetCompletion().GetError()); err != nil {
			f.failures = append(f.failures, failure{batch.GetCluster(), err})
		}
		progress.done(batch.GetCompletion().GetError() != nil)
	}
	return nil
}
