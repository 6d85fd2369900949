package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// errand is what is to be read from one cluster.
type errand struct {
	cluster string
	member  *member // nil if the fleet has no such cluster
	items   []*errandItem
	// told says that a result was yielded, throttled that one has said so of the cluster.
	told, throttled bool
}

// errandItem is one object of an errand.
type errandItem struct {
	query   cluster.Query
	indexes []int // of the references to it, in the request's order
	hold    hold
}

// yield yields a result for each of the item's references. What was spent is in the first one.
func (i *errandItem) yield(value GetResult, yield func(*GetResult, error) bool) bool {
	for _, index := range i.indexes {
		one := value
		one.Index = index
		if !yield(&one, nil) {
			return false
		}
		value.Bytes, value.Queued, value.Duration = 0, 0, 0
	}
	return true
}

// tell completes a result of the errand by what is told of its cluster.
func (e *errand) tell(r *GetResult, queued time.Duration) {
	r.Cluster = e.cluster
	if !e.told {
		e.told = true
		r.Queued += queued
	}
	if !e.throttled && throttled(r.Err) {
		e.throttled, r.Throttled = true, true
	}
}

// fail yields a result for each reference of an errand whose turn did not come.
func (e *errand) fail(err *cluster.Error, queued time.Duration, yield func(GetResult) bool) bool {
	for _, i := range e.items {
		for _, index := range i.indexes {
			r := GetResult{Index: index, Err: err}
			e.tell(&r, queued)
			if !yield(r) {
				return false
			}
		}
	}
	return true
}

// errands groups references by cluster, in the order in which clusters are to be asked.
func (f *Fleet) errands(r GetRequest) []*errand {
	byName := make(map[string]*errand)
	items := make(map[Reference]*errandItem)
	roster := f.roster.Load()
	for i, reference := range r.References {
		e := byName[reference.Cluster]
		if e == nil {
			e = &errand{cluster: reference.Cluster, member: roster.byName[reference.Cluster]}
			byName[reference.Cluster] = e
		}
		item := items[reference]
		if item == nil {
			item = &errandItem{query: reference.Query}
			items[reference] = item
			e.items = append(e.items, item)
		}
		item.indexes = append(item.indexes, i)
	}
	return f.orderErrands(byName, r.Unreachable)
}

// orderErrands returns first what takes no time, then the errands of living clusters, the longest first, then the others:
// the last to begin is then none that takes long.
func (f *Fleet) orderErrands(byName map[string]*errand, known Unreachable) []*errand {
	type ranked struct {
		*errand

		rank   int
		length int64
	}
	var all []ranked
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		e := ranked{errand: byName[name], rank: -1}
		if m := e.member; m != nil && known.of(m) == nil {
			e.rank, e.length = f.rank(m), int64(len(e.items))*max(m.pace[probeWork].Load(), 1)
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.length, a.length))
	})
	errands := make([]*errand, len(all))
	for i, e := range all {
		errands[i] = e.errand
	}
	return errands
}
