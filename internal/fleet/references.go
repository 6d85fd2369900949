package fleet

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/internal/shape"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// Reference names one object of one cluster.
type Reference struct {
	Cluster string
	Query   cluster.Query
}

// GetRequest asks for single objects.
type GetRequest struct {
	References []Reference
	// Timeout is what one object may take, the wait for its turn not included. 0: cluster.DefaultReadTimeout.
	Timeout time.Duration
	// Limit is how many clusters are read at once. 0: the fleet's.
	Limit int
	Keep  Keep
	// Projection is what is made of each object. Nil: nothing, the object itself is wanted.
	Projection *shape.Projection
}

// GetResult is what became of one reference.
type GetResult struct {
	Index   int // into the request's references
	Cluster string
	Item    Item
	Bytes   int64
	Err     *cluster.Error // nil if the object was read
	Skipped bool           // for virtual clusters
}

// errand is what is to be read from one cluster.
type errand struct {
	cluster string
	member  *member // nil if the fleet has no such cluster
	indexes []int
}

// errandItem is one object of an errand.
type errandItem struct {
	index int // into the request's references
	hold  hold
}

// Get reads single objects. It fans out over clusters, and within each over its objects, so that the limits of one cluster
// hold up none of the others.
func (f *Fleet) Get(ctx context.Context, r GetRequest) (Run[GetResult], error) {
	for i, reference := range r.References {
		if err := checkQuery(fmt.Sprintf("references[%d].", i), reference.Query); err != nil {
			return Run[GetResult]{}, err
		}
	}
	share := semaphore.NewWeighted(maxCallBytes)
	run := func(ctx context.Context, e *errand) iter.Seq2[GetResult, error] { return f.runErrand(ctx, e, r, share) }
	results := func(yield func(GetResult) bool) {
		for part := range fanout.Stream(ctx, slices.Values(f.errands(r.References)), f.limit(r.Limit), run) {
			switch {
			case !part.Done:
				if !yield(part.Value) {
					return
				}
			case part.Err != nil:
				if !f.yieldFailed(part, yield) {
					return
				}
			}
		}
	}
	return Run[GetResult]{Expected: len(r.References), Results: results}, nil
}

// errands groups references by cluster, in the order in which clusters are to be asked.
func (f *Fleet) errands(references []Reference) []*errand {
	byName := make(map[string]*errand)
	roster := f.roster.Load()
	for i, reference := range references {
		e := byName[reference.Cluster]
		if e == nil {
			e = &errand{cluster: reference.Cluster, member: roster.byName[reference.Cluster]}
			byName[reference.Cluster] = e
		}
		e.indexes = append(e.indexes, i)
	}
	var sorted []*errand
	var members []*member
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if e := byName[name]; e.member == nil {
			sorted = append(sorted, e)
		} else {
			members = append(members, e.member)
		}
	}
	for _, m := range f.ordered(members, readWork) {
		sorted = append(sorted, byName[m.name()])
	}
	return sorted
}

// runErrand yields the objects of one cluster. The memory of each is held until the caller has taken it.
func (f *Fleet) runErrand(ctx context.Context, e *errand, r GetRequest, share *semaphore.Weighted) iter.Seq2[GetResult, error] {
	return func(yield func(GetResult, error) bool) {
		items := make([]*errandItem, len(e.indexes))
		for i, index := range e.indexes {
			items[i] = &errandItem{index: index, hold: hold{call: share, fleet: f.reads}}
			defer items[i].hold.release() // what was read and not taken
		}
		get := func(ctx context.Context, i *errandItem) (GetResult, error) {
			return f.get(ctx, e, r.References[i.index].Query, r, &i.hold), nil
		}
		for result := range fanout.Each(ctx, slices.Values(items), cluster.MaxReads, get) {
			value := result.Value
			if result.Err != nil {
				value = GetResult{Err: f.unfinished(e.cluster, result.Err)}
			}
			value.Index, value.Cluster = result.Key.index, e.cluster
			more := yield(value, nil)
			result.Key.hold.release()
			if !more {
				return
			}
		}
	}
}

func (f *Fleet) get(ctx context.Context, e *errand, q cluster.Query, r GetRequest, h *hold) GetResult {
	if e.member == nil {
		unknown := &UnknownClusterError{Names: []string{e.cluster}}
		return GetResult{Err: cluster.NewError(cluster.NotFound, cluster.PhaseQueue, unknown.Error(), unknown)}
	}
	var result GetResult
	one := FetchRequest{Query: q, Timeout: r.Timeout, Keep: r.Keep, Shape: shape.Shape{Projection: r.Projection}}
	for batch := range f.fetch(ctx, e.member, one, h) { //nolint:errcheck // it yields none
		if len(batch.Items) > 0 {
			result.Item = batch.Items[0]
		}
		if batch.End != nil {
			result.Err, result.Skipped, result.Bytes = batch.End.Err, batch.End.Skipped, batch.End.Bytes
		}
	}
	return result
}

// yieldFailed yields a result for each reference of a cluster whose turn did not come.
func (f *Fleet) yieldFailed(part fanout.Part[*errand, GetResult], yield func(GetResult) bool) bool {
	e := part.Key
	for _, index := range e.indexes {
		if !yield(GetResult{Index: index, Cluster: e.cluster, Err: f.unfinished(e.cluster, part.Err)}) {
			return false
		}
	}
	return true
}
