package main

import (
	"fmt"

	"github.com/spf13/pflag"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// extent says how much is read, and from where.
type extent struct {
	limitPerCluster    int64
	includeUnreachable bool
	allowStale         bool
}

func (e *extent) register(flags *pflag.FlagSet) {
	flags.Int64Var(&e.limitPerCluster, "limit-per-cluster", 0, "the most objects of one cluster, at least 1; what is beyond it is not read (default: no limit)")
	flags.BoolVar(&e.includeUnreachable, "include-unreachable", false, "try also clusters that are known to be unreachable, which fail at once otherwise")
	flags.BoolVar(&e.allowStale, "allow-stale", false, "let API servers answer from their caches: cheaper for them, and seconds old at worst, more on a replica that lags")
}

func (e *extent) check(flags *pflag.FlagSet) error {
	if flags.Changed("limit-per-cluster") && e.limitPerCluster < 1 {
		return usagef("--limit-per-cluster must be at least 1, not %d", e.limitPerCluster)
	}
	return nil
}

// readSummary says how many clusters were read, and of how many not all or not at one time; empty where all were read whole.
// changed is how many lists changed while they were read.
func readSummary(s *fleetv1.Summary, changed int, limit int64) string {
	missing := s.GetFailed() + s.GetNotAttempted()
	if missing == 0 && s.GetTruncated() == 0 && changed == 0 {
		return ""
	}
	asked := s.GetExpected() - s.GetSkipped()
	text := fmt.Sprintf("%d of %d clusters read", asked-missing, asked)
	if n := s.GetTruncated(); n > 0 {
		text += fmt.Sprintf("; truncated: %d, which have more than %d objects (--limit-per-cluster)", n, limit)
	}
	if changed > 0 {
		text += fmt.Sprintf("; inconsistent: %d, whose list changed while it was read", changed)
	}
	return text
}
