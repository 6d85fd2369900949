package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// sleepers is what a `hibernation` has found so far.
type sleepers struct {
	clusters map[string]*fleetv1.HibernationResult // each with all of its groups that are to be printed
	failures []failure
	done     int // clusters that answered

	eligible, hibernated, replicas int64 // of all groups, printed or not
}

// count takes down what one message adds to the totals, and what could not be read.
func (s *sleepers) count(r *fleetv1.HibernationResult) {
	for _, g := range r.GetGroups() {
		s.eligible += int64(g.GetEligible())
		s.hibernated += int64(g.GetHibernated())
		s.replicas += g.GetHibernatedReplicas()
	}
	if r.GetCompletion() == nil {
		return
	}
	s.done++
	if err := client.StatusError(r.GetCompletion().GetError()); err != nil {
		s.failures = append(s.failures, failure{r.GetCluster(), err})
		return
	}
	for _, u := range r.GetUnreadable() {
		s.failures = append(s.failures, failure{r.GetCluster(), fmt.Errorf("%s: %s (%s)", u.GetResource(), u.GetMessage(), u.GetReason())})
	}
}

// keep puts the messages of a cluster together.
func (s *sleepers) keep(r *fleetv1.HibernationResult) {
	if whole := s.clusters[r.GetCluster()]; whole != nil {
		whole.Groups = append(whole.GetGroups(), r.GetGroups()...)
		whole.Unreadable, whole.Completion = r.GetUnreadable(), r.GetCompletion()
		return
	}
	s.clusters[r.GetCluster()] = r
}

// sorted returns the clusters by name, and the groups of each by namespace and name.
func (s *sleepers) sorted() []*fleetv1.HibernationResult {
	all := make([]*fleetv1.HibernationResult, 0, len(s.clusters))
	for _, name := range slices.Sorted(maps.Keys(s.clusters)) {
		r := s.clusters[name]
		slices.SortStableFunc(r.GetGroups(), func(x, y *fleetv1.HibernationGroup) int {
			return cmp.Or(cmp.Compare(x.GetNamespace(), y.GetNamespace()), cmp.Compare(x.GetKind(), y.GetKind()), cmp.Compare(x.GetName(), y.GetName()))
		})
		all = append(all, r)
	}
	return all
}

// hibernationOutcome turns what a call that ended well found into what the command returns, and says it on stderr.
func (a *app) hibernationOutcome(summary *fleetv1.Summary, s *sleepers, f hibernationFlags, format output.Format) error {
	nothing := summary.GetSucceeded() == 0 && len(s.failures) > 0
	if !nothing || len(s.failures) > 1 { // A single one is the error below.
		a.warn(s.failures, f.allWarnings)
	}
	table := format.Kind == output.Table || format.Kind == output.Wide
	if table && !nothing && summary.GetExpected() > 0 || format.Kind != output.JSONL && unread(summary) > 0 && !nothing {
		fmt.Fprintln(a.stderr, s.totals(summary))
	}
	err := a.outcome(summary, unread(summary), f.requireComplete)
	if err == nil && f.requireComplete && len(s.failures) > 0 {
		err = exitError{code: exitUnhealthy}
	}
	switch {
	case nothing && !summary.GetDeadlineExceeded():
		code := exitFailed
		if f.requireComplete {
			code = exitUnhealthy
		}
		if len(s.failures) == 1 {
			return exitError{code, s.failures[0].String()}
		}
		return exitError{code, fmt.Sprintf("none of %d clusters could be read whole", len(s.failures))}
	case err != nil:
		return err
	case summary.GetExpected() == 0:
		_, err = fmt.Fprintln(a.stderr, noClusters)
	}
	return err
}

// totals is what all clusters come to, in one line.
func (s *sleepers) totals(summary *fleetv1.Summary) string {
	asked := summary.GetExpected() - summary.GetSkipped()
	return fmt.Sprintf("%d of %d workloads sleep and had %d replicas; %d of %d clusters read in %s",
		s.hibernated, s.eligible, s.replicas, asked-unread(summary), asked, latency(summary.GetDuration()))
}
