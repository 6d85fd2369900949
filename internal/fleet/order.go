package fleet

import (
	"cmp"
	"slices"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// ordered returns the members in the order in which a fan-out should start them: the living first, then those nothing is
// known of, the dead last, so that the dead never delay the living; among the living those that took longest last time
// first, so that the slowest does not begin when all others are done.
func (f *Fleet) ordered(members []*member) []*member {
	type ranked struct {
		member *member
		rank   int
		took   int64
	}
	ranks := make([]ranked, len(members))
	for i, m := range members {
		ranks[i] = ranked{m, f.rank(m), m.took.Load()}
	}
	slices.SortStableFunc(ranks, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.took, a.took))
	})
	result := make([]*member, len(members))
	for i, r := range ranks {
		result[i] = r.member
	}
	return result
}

func (f *Fleet) rank(m *member) int {
	switch f.state(m) {
	case cluster.Healthy, cluster.Degraded:
		return 0
	case cluster.Unknown:
		return 1
	case cluster.Unauthorized, cluster.Unreachable:
	}
	return 2
}
