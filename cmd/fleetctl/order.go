package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// order is how clusters are sorted. It is done here, over the whole, and not by the aggregator: there, a cluster whose
// health changes between two pages may be missed.
type order string

func orders() []string { return []string{"name", "state", "since", "latency"} }

func (o *order) register(cmd *cobra.Command) {
	cmd.Flags().StringVar((*string)(o), "sort-by", "name",
		"name; state, the worst first; since, the latest change first; or latency, the longest 99th percentile first")
	mustComplete(cmd, "sort-by", cobra.FixedCompletions(orders(), cobra.ShellCompDirectiveNoFileComp))
}

func (o order) check() error {
	if slices.Contains(orders(), string(o)) {
		return nil
	}
	return usagef("unknown order %q: use %s%s", string(o), strings.Join(orders(), ", "), didYouMean(similar(string(o), orders()), ""))
}

// sort keeps the order of the names among equals.
func (o order) sort(all []live) {
	before := map[order]func(x, y live) int{
		"state":   func(x, y live) int { return cmp.Compare(severity(y), severity(x)) },
		"since":   func(x, y live) int { return changedAt(y).Compare(changedAt(x)) },
		"latency": func(x, y live) int { return cmp.Compare(slowness(y), slowness(x)) },
	}[o]
	slices.SortFunc(all, byName)
	if before != nil {
		slices.SortStableFunc(all, before)
	}
}

// severity is higher the worse a state is. Virtual clusters have none.
func severity(l live) int {
	if l.cluster.GetVirtual() {
		return 0
	}
	switch l.confirmed() {
	case fleetv1.Verdict_STATE_UNREACHABLE:
		return 5
	case fleetv1.Verdict_STATE_UNAUTHORIZED:
		return 4
	case fleetv1.Verdict_STATE_DEGRADED:
		return 3
	case fleetv1.Verdict_STATE_HEALTHY:
		return 1
	default:
		return 2
	}
}

// changedAt is zero, and so last, where the state never changed.
func changedAt(l live) time.Time {
	if since := l.health.GetSince(); since != nil {
		return since.AsTime()
	}
	return time.Time{}
}

// slowness is 0, and so last, where no probe succeeded.
func slowness(l live) time.Duration { return l.health.GetLatency().GetP99().AsDuration() }
