package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// typesFlags are the flags of one `api-resources`.
type typesFlags struct {
	selection
	fanout
	printing
	trial

	group       string
	deprecated  bool
	allWarnings bool
}

func (a *app) apiResourcesCommand() *cobra.Command {
	var f typesFlags
	cmd := &cobra.Command{
		Use:   "api-resources",
		Short: "Show which resource types and versions the clusters serve",
		Long: `Show which resource types the clusters serve, in every version that one of them serves. CLUSTERS is how many do, of those
that were asked; -o wide adds for how many it is the preferred version, and where it is missing.

--deprecated shows only what a newer version of Kubernetes does not serve any more: which version that is, what to use
instead (KIND.VERSION.GROUP), and with -o wide which clusters still serve it. It says nothing of who uses it.

What is shown may be ten minutes old. A cluster that could not be asked, and an API that clusters announce and cannot serve,
is a warning on stderr. Exit code 1 where no cluster could be asked.

-o json and yaml print the whole answer, with the versions of Kubernetes; jsonpath reads it; jsonl prints a type a line,
name what "get" takes.`,
		Example: `  fleetctl api-resources
  fleetctl api-resources --api-group apps -o wide
  fleetctl api-resources --deprecated --clusters env=prod
  fleetctl api-resources -o json | jq '.types[] | select(.missingCount > 0) | .resource'
  fleetctl api-resources --deprecated -o name`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.apiResources(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.group, "api-group", "", "only types of this API group; '' is the core group (default any group)")
	flags.BoolVar(&f.deprecated, "deprecated", false, "only types that a newer version of Kubernetes does not serve any more")
	f.registerClusters(cmd, a.completeClusters)
	f.registerStates(cmd)
	f.fanout.register(flags, "(default 30s)")
	f.trial.register(flags)
	f.printing.register(cmd)
	flags.BoolVar(&f.allWarnings, "all-warnings", false, "name every cluster that could not be asked, not only the first ones")
	mustComplete(cmd, "api-group", cobra.NoFileCompletions)
	return cmd
}

func (a *app) apiResources(cmd *cobra.Command, f typesFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	if err := only(format, "", output.Table, output.Wide, output.JSON, output.YAML, output.JSONL, output.Name, output.JSONPath); err != nil {
		return err
	}
	selector, err := f.selector("--clusters")
	if err != nil {
		return err
	}
	if err := isText("--api-group", f.group); err != nil {
		return err
	}
	if err := f.check(cmd.Flags()); err != nil {
		return err
	}
	req := &fleetv1.ListResourceTypesRequest{
		Selector: selector, PerClusterTimeout: f.timeout(), MaxConcurrency: f.limit,
		Deprecated: f.deprecated, IncludeUnreachable: f.includeUnreachable,
	}
	if cmd.Flags().Changed("api-group") {
		req.Group = &f.group
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()
	types, err := c.ListResourceTypes(ctx, req)
	if err != nil {
		return err
	}
	if err := a.printTypes(types, format, f); err != nil {
		return err
	}
	if err := a.stdout.Flush(); err != nil { // The results come first where both go to one place.
		return err
	}
	return a.typesOutcome(types, f)
}

func (a *app) printTypes(r *fleetv1.ListResourceTypesResponse, format output.Format, f typesFlags) error {
	switch format.Kind {
	case output.Table, output.Wide:
		return a.typesTable(r.GetTypes(), f, format.Kind == output.Wide)
	case output.Name:
		for _, t := range r.GetTypes() {
			if err := a.name(typeName(&fleetv1.ResourceType{Group: t.GetGroup(), Version: t.GetVersion(), Resource: t.GetResource()})); err != nil {
				return err
			}
		}
		return nil
	case output.JSONL:
		for _, t := range r.GetTypes() {
			if err := a.message(t); err != nil {
				return err
			}
		}
		return nil
	default:
	}
	raw, err := output.Message(r)
	if err != nil {
		return err
	}
	return output.Write(a.plain(), format, raw)
}

// typesOutcome says on stderr what is missing, and turns the answer into what the command returns.
func (a *app) typesOutcome(r *fleetv1.ListResourceTypesResponse, f typesFlags) error {
	failures := make([]failure, len(r.GetFailures()))
	for i, failed := range r.GetFailures() {
		failures[i] = failure{failed.GetCluster(), client.StatusError(failed.GetError())}
	}
	a.warn(failures, f.allWarnings)
	a.warnBroken(r.GetBroken(), f.allWarnings)
	if omitted := r.GetOmittedTypes(); omitted > 0 {
		fmt.Fprintf(a.stderr, "warning: %d more types, those that fewest clusters serve, are not shown: ask for one group (--api-group)\n", omitted)
	}
	s := r.GetSummary()
	asked := s.GetExpected() - s.GetSkipped()
	if missing := unread(s); missing > 0 {
		fmt.Fprintf(a.stderr, "%d of %d clusters asked\n", asked-missing, asked)
	}
	if err := a.outcome(s, unread(s), false); err != nil {
		return err
	}
	switch {
	case s.GetExpected() == 0:
		fmt.Fprintln(a.stderr, noClusters)
	case asked > 0 && s.GetSucceeded() == 0:
		return exitError{exitFailed, "no cluster could be asked"}
	case len(r.GetTypes()) == 0 && f.deprecated:
		fmt.Fprintln(a.stderr, "No type is served that a newer version of Kubernetes removes.")
	case len(r.GetTypes()) == 0:
		fmt.Fprintln(a.stderr, "No resource types found.")
	}
	return nil
}
