package server

import (
	"fmt"
	"time"

	human "k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// maxKnownMessage bounds what a verdict said, so that what is said around it fits into an error as well.
const maxKnownMessage = 512

// watched is what the handlers of fan-outs know of clusters before they ask them.
type watched struct {
	monitor Monitor // nil if there is none
}

// unreachable tells which clusters need not be tried, because the monitor has confirmed that they are unreachable and its
// latest probe says so as well; nil where all are to be tried.
func (w watched) unreachable(include bool) fleet.Unreachable {
	if include || w.monitor == nil {
		return nil
	}
	return func(name string) *cluster.Error {
		r := w.monitor.Record(name)
		if !isUnreachable(r) {
			return nil
		}
		e := cluster.NewError(r.Verdict.Reason, cluster.PhaseQueue, whyUntried(r, time.Now()), nil)
		e.Blame = r.Verdict.Blame
		return e
	}
}

// isUnreachable reports whether a cluster is known to be unreachable: by this process, not long ago, and beyond doubt.
func isUnreachable(r *health.Record) bool {
	return r != nil && r.State == cluster.Unreachable && !r.Restored &&
		r.Verdict != nil && r.Verdict.State == cluster.Unreachable
}

func whyUntried(r *health.Record, now time.Time) string {
	lasting := ""
	if !r.Since.IsZero() {
		lasting = " for " + human.HumanDuration(now.Sub(r.Since))
	}
	seen := "it was never healthy"
	if !r.LastSuccess.IsZero() {
		seen = fmt.Sprintf("it was last healthy %s ago", human.HumanDuration(now.Sub(r.LastSuccess)))
	}
	return fmt.Sprintf("not tried, because it is known to be unreachable%s: %s; this was found %s ago, and %s; include_unreachable (--include-unreachable) tries it anyway",
		lasting, safetext.Truncate(r.Verdict.Message, maxKnownMessage), human.HumanDuration(now.Sub(r.At)), seen)
}
