package main

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/apimachinery/pkg/labels"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// selection says which clusters a command is about.
type selection struct {
	names  []string
	labels string
	states []string
}

// selector checks the selection here, so that a mistake is reported without a call. labelFlag is the flag that carries
// the label selector.
func (s *selection) selector(labelFlag string) (*fleetv1.ClusterSelector, error) {
	if slices.Contains(s.names, "") {
		return nil, usagef("a cluster's name must not be empty")
	}
	for _, name := range s.names {
		if err := isText("the cluster's name", name); err != nil {
			return nil, err
		}
	}
	if err := isText(labelFlag, s.labels); err != nil {
		return nil, err
	}
	if _, err := labels.Parse(s.labels); err != nil {
		return nil, usagef("%s %q is not a label selector: %w", labelFlag, s.labels, err)
	}
	selector := &fleetv1.ClusterSelector{Names: s.names, LabelSelector: s.labels}
	for _, name := range s.states {
		state, ok := fleetv1.Verdict_State_value["STATE_"+strings.ToUpper(name)]
		if !ok || state == 0 {
			return nil, usagef("unknown state %q: use %s", name, strings.Join(stateNames(), ", "))
		}
		selector.States = append(selector.States, fleetv1.Verdict_State(state))
	}
	return selector, nil
}

// isText refuses what no call can carry.
func isText(what, text string) error {
	if !utf8.ValidString(text) {
		return usagef("%s %q is not valid UTF-8", what, text)
	}
	return nil
}

func (s *selection) registerLabels(cmd *cobra.Command) {
	cmd.Flags().VarP((*requirements)(&s.labels), "selector", "l", "only clusters whose labels match, such as env=prod,!canary; may be repeated")
}

// registerClusters is for commands whose -l and arguments select objects.
func (s *selection) registerClusters(cmd *cobra.Command, complete cobra.CompletionFunc) {
	cmd.Flags().Var((*requirements)(&s.labels), "clusters", "only clusters whose labels match, such as env=prod,!canary; may be repeated")
	cmd.Flags().StringArrayVar(&s.names, "cluster", nil, "only the cluster of this name; may be repeated")
	mustComplete(cmd, "cluster", complete)
}

// requirements are a selector that may be given in pieces, all of which hold.
type requirements string

// String is the selector so far.
func (r *requirements) String() string { return string(*r) }

// Set adds a piece.
func (r *requirements) Set(text string) error {
	if *r != "" && text != "" {
		text = string(*r) + "," + text
	}
	if text != "" {
		*r = requirements(text)
	}
	return nil
}

// Type is what the help says stands behind the flag.
func (*requirements) Type() string { return "string" }

func (s *selection) registerStates(cmd *cobra.Command) {
	s.registerStatesAs(cmd, "only clusters whose last known state is one of these")
}

func (s *selection) registerStatesAs(cmd *cobra.Command, meaning string) {
	cmd.Flags().StringSliceVar(&s.states, "state", nil, meaning+": "+strings.Join(stateNames(), ", "))
	mustComplete(cmd, "state", cobra.FixedCompletions(stateNames(), cobra.ShellCompDirectiveNoFileComp))
}

func stateNames() []string {
	var names []string
	for number := int32(1); ; number++ {
		name, ok := fleetv1.Verdict_State_name[number]
		if !ok {
			return names
		}
		names = append(names, strings.ToLower(strings.TrimPrefix(name, "STATE_")))
	}
}

// fanout says how a call works through the clusters.
type fanout struct {
	limit      int32
	perCluster time.Duration
}

func (f *fanout) register(flags *pflag.FlagSet, perCluster string) {
	flags.Int32Var(&f.limit, "limit", 0, "how many clusters are asked at once, at least 1 (default and upper bound: the aggregator's limits)")
	flags.DurationVar(&f.perCluster, "per-cluster-timeout", 0, "how long one cluster may take, waiting for its turn not included "+perCluster)
}

func (f *fanout) check(flags *pflag.FlagSet) error {
	if flags.Changed("limit") && f.limit < 1 {
		return usagef("--limit must be at least 1, not %d", f.limit)
	}
	if flags.Changed("per-cluster-timeout") && f.perCluster <= 0 {
		return usagef("--per-cluster-timeout must be positive, not %s", f.perCluster)
	}
	return nil
}

// timeout is unset for the aggregator's default.
func (f *fanout) timeout() *durationpb.Duration {
	if f.perCluster == 0 {
		return nil
	}
	return durationpb.New(f.perCluster)
}
