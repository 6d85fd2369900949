package fleet

import (
	"slices"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Unreachable returns why the cluster of that name need not be tried, nil for one that is to be tried. It is asked often, by
// many goroutines.
type Unreachable func(name string) *cluster.Error

func (u Unreachable) of(m *member) *cluster.Error {
	if u == nil {
		return nil
	}
	return u(m.name())
}

// toRead returns the members in the order in which they are to be read. First come those that are not tried: they take no
// time, and a caller whose time runs out is told of them.
func (f *Fleet) toRead(members []*member, known Unreachable) []*member {
	ordered := f.ordered(members, readWork)
	if known == nil {
		return ordered
	}
	untried := make(map[*member]bool)
	for _, m := range ordered {
		untried[m] = known.of(m) != nil
	}
	slices.SortStableFunc(ordered, func(a, b *member) int {
		switch {
		case untried[a] == untried[b]:
			return 0
		case untried[a]:
			return -1
		}
		return 1
	})
	return ordered
}
