package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// hibernationFlags are the flags of one `hibernation`.
type hibernationFlags struct {
	selection
	fanout
	trial
	objectSelection
	printing

	by              string
	annotation      string
	state           string
	requireComplete bool
	allWarnings     bool
}

func (a *app) hibernationCommand() *cobra.Command {
	var f hibernationFlags
	cmd := &cobra.Command{
		Use:   "hibernation",
		Short: "Show which workloads sleep",
		Long: `Show which workloads sleep: were scaled to 0 by a hibernator that left the number of replicas in an annotation
(--annotation). Workloads are Deployments, StatefulSets, Rollouts of Argo, and ReplicaSets that nothing controls.

--by says what a line is: a cluster, a namespace or a workload. It is HIBERNATED where all of its workloads sleep,
PARTIALLY_HIBERNATED where some do, RUNNING where none does, and UNKNOWN where none does as far as known and some type of
workloads could not be read (UNKNOWN counts these types). WAS is how many replicas those had that sleep. -n and -l
select workloads, as in "get"; --clusters and --cluster select clusters. --state prints only what is in that state.

A table is in the order of the clusters' names and printed once all have answered; -o json prints {"items": […],
"summary": {…}} with an item a cluster; -o jsonl each message of the stream, and -o name what a line names (with --by
namespace and workload with tabs: CLUSTER, NAMESPACE, KIND/NAME), as it comes. The last line on stderr has the totals.

What could not be read is a warning on stderr, of which --all-warnings shows all. Exit code 3 with --require-complete, which
also wants that some cluster is selected, and 1 where no cluster could be read. 124: the time ran out (--timeout); what was
read by then is printed.`,
		Example: `  fleetctl hibernation
  fleetctl hibernation --clusters env=dev --by namespace --state running
  fleetctl hibernation -n shop -l app=web --by workload
  fleetctl hibernation --annotation example.com/replicas --require-complete
  fleetctl hibernation --by workload --state hibernated -o name
  fleetctl hibernation -o custom-columns=CLUSTER:.cluster,STATE:.groups[*].state`,
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.hibernation(cmd, f) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	f.objectSelection.register(flags, "workloads", "")
	f.registerClusters(cmd, a.completeClusters)
	flags.StringVar(&f.by, "by", "cluster", "what a line is: "+strings.Join(groupings(), ", "))
	flags.StringVar(&f.annotation, "annotation", "", "the annotation that holds the number of replicas (default hibernator.devtron.ai/replicas)")
	flags.StringVar(&f.state, "state", "", "only what is in this state: "+strings.Join(hibernationStates(), ", "))
	f.fanout.register(flags, "(default 30s)")
	f.trial.register(flags)
	f.printing.register(cmd)
	flags.BoolVar(&f.requireComplete, "require-complete", false, "exit with code 3 where something could not be read, or no cluster is selected")
	flags.BoolVar(&f.allWarnings, "all-warnings", false, "name everything that could not be read, not only the first ones")
	mustComplete(cmd, "by", cobra.FixedCompletions(groupings(), cobra.ShellCompDirectiveNoFileComp))
	mustComplete(cmd, "state", cobra.FixedCompletions(hibernationStates(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// groupings are the values of --by; the API's are the same with a prefix.
func groupings() []string { return []string{"cluster", "namespace", "workload"} }

// hibernationStates are the values of --state.
func hibernationStates() []string { return []string{"hibernated", "partially", "running", "unknown"} }

// wanted is the state of --state, 0 for any.
func (f *hibernationFlags) wanted() fleetv1.HibernationGroup_State {
	return map[string]fleetv1.HibernationGroup_State{
		"hibernated": fleetv1.HibernationGroup_STATE_HIBERNATED,
		"partially":  fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED,
		"running":    fleetv1.HibernationGroup_STATE_RUNNING,
		"unknown":    fleetv1.HibernationGroup_STATE_UNKNOWN,
	}[f.state]
}

func (a *app) hibernation(cmd *cobra.Command, f hibernationFlags) error {
	format, err := f.format()
	if err != nil {
		return err
	}
	req, err := f.request(cmd)
	if err != nil {
		return err
	}
	ctx, c, done, err := a.call(cmd)
	if err != nil {
		return err
	}
	defer done()

	stream := c.SummarizeHibernation(ctx, req)
	s := sleepers{clusters: map[string]*fleetv1.HibernationResult{}}
	failed := a.collectSleepers(stream, &s, f, format)
	return a.conclude(cmd.Context(), ended{
		failed: failed, started: stream.Started(), write: func() error { return a.printSleepers(&s, stream.Summary(), f, format) },
		answered: s.done, failures: s.failures, allWarnings: f.allWarnings,
		outcome: func() error { return a.hibernationOutcome(stream.Summary(), &s, f, format) },
	})
}

// request checks the flags here, so that a mistake is reported without a call.
func (f *hibernationFlags) request(cmd *cobra.Command) (*fleetv1.SummarizeHibernationRequest, error) {
	selector, err := f.selector("--clusters")
	if err := cmp.Or(f.fanout.check(cmd.Flags()), err, f.objectSelection.check(cmd.Flags(), ""), isText("--annotation", f.annotation)); err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(groupings(), f.by):
		return nil, usagef("unknown grouping --by %q: use %s%s", f.by, strings.Join(groupings(), ", "), didYouMean(similar(f.by, groupings()), ""))
	case f.state != "" && f.wanted() == 0:
		return nil, usagef("unknown state %q: use %s%s", f.state, strings.Join(hibernationStates(), ", "), didYouMean(similar(f.state, hibernationStates()), ""))
	case f.annotation != "" && len(content.IsLabelKey(strings.ToLower(f.annotation))) > 0:
		return nil, usagef("--annotation %q is not the name of an annotation", f.annotation)
	}
	return &fleetv1.SummarizeHibernationRequest{
		Selector: selector, PerClusterTimeout: f.timeout(), MaxConcurrency: f.limit,
		Namespace: f.in(), LabelSelector: f.labelSelector, Annotation: f.annotation,
		Grouping:           fleetv1.SummarizeHibernationRequest_Grouping(fleetv1.SummarizeHibernationRequest_Grouping_value["GROUPING_"+strings.ToUpper(f.by)]),
		IncludeUnreachable: f.includeUnreachable,
	}, nil
}

// collectSleepers keeps what is found until the stream ends, or prints it meanwhile, and returns the call's error.
func (a *app) collectSleepers(stream *client.HibernationStream, s *sleepers, f hibernationFlags, format output.Format) error {
	streams := format.Kind == output.JSONL || format.Kind == output.Name
	progress := a.showProgress("reading", streams)
	defer progress.stop()
	for event, err := range stream.Events() {
		if err != nil {
			return err
		}
		if started := event.GetStarted(); started != nil {
			progress.expect(started.GetExpected())
		}
		result := event.GetResult()
		if result != nil {
			s.count(result)
			result.Groups = slices.DeleteFunc(result.GetGroups(), func(g *fleetv1.HibernationGroup) bool {
				return f.state != "" && g.GetState() != f.wanted()
			})
		}
		switch {
		case format.Kind == output.JSONL && result != nil && len(result.GetGroups()) == 0 && result.GetCompletion() == nil:
			// --state leaves nothing of the message.
		case format.Kind == output.JSONL:
			err = a.message(event)
		case format.Kind == output.Name:
			err = a.sleeperNames(result, f)
		case result != nil:
			s.keep(result)
		}
		if err != nil {
			return err
		}
		if completion := result.GetCompletion(); completion != nil {
			progress.done(completion.GetError() != nil)
		}
	}
	return nil
}
