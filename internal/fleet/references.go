package fleet

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/internal/shape"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// getsForOneFetch is how many clusters single objects are read from at once where one would be read as a list: a single
// object is small, and its reading is mostly waiting.
const getsForOneFetch = 4

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
	// Limit is how many clusters are read at once. 0: four times the fleet's.
	Limit int
	Keep  Keep
	// Unreachable tells which clusters are not to be tried; nil tries all.
	Unreachable Unreachable
	// Projection is what is made of each object. Nil: nothing, the object itself is wanted.
	Projection *shape.Projection
}

// GetResult is what became of one reference.
type GetResult struct {
	Index   int // into the request's references
	Cluster string
	Item    Item
	Err     *cluster.Error // nil if the object was read
	Skipped bool           // for virtual clusters

	// What follows counts once where several references are answered by one reading.

	Bytes int64
	// Queued and Duration are as those of an End; the first result of a cluster has the cluster's wait for its turn.
	Queued, Duration time.Duration
	// Throttled says that the cluster asked to be asked less often. One result of a cluster has it.
	Throttled bool
}

// Get reads single objects. It fans out over clusters, and within each over its objects, so that the limits of one cluster
// hold up none of the others. An object that is referred to several times is read once.
func (f *Fleet) Get(ctx context.Context, r GetRequest) (Run[GetResult], error) {
	for i, reference := range r.References {
		if err := checkQuery(fmt.Sprintf("references[%d].", i), reference.Query); err != nil {
			return Run[GetResult]{}, err
		}
	}
	share := semaphore.NewWeighted(maxCallBytes)
	run := func(ctx context.Context, e *errand) iter.Seq2[*GetResult, error] {
		return f.runErrand(ctx, e, r, share)
	}
	results := func(yield func(GetResult) bool) {
		for part := range fanout.Stream(ctx, slices.Values(f.errands(r)), f.getLimit(r.Limit), run) {
			e := part.Key
			if !part.Done {
				e.tell(part.Value, part.Queued)
				if !yield(*part.Value) {
					return
				}
				continue
			}
			if part.Err != nil && !e.fail(f.unfinished(e.cluster, part.Err), part.Queued, yield) {
				return
			}
		}
	}
	return Run[GetResult]{Expected: len(r.References), Results: results}, nil
}

func (f *Fleet) getLimit(wanted int) int {
	if wanted <= 0 {
		wanted = getsForOneFetch * f.options.Limit
	}
	return f.limit(wanted)
}

// runErrand yields the objects of one cluster. The memory of each is held until the caller has taken it for each reference.
func (f *Fleet) runErrand(ctx context.Context, e *errand, r GetRequest, share *semaphore.Weighted) iter.Seq2[*GetResult, error] {
	return func(yield func(*GetResult, error) bool) {
		for _, i := range e.items {
			i.hold = hold{call: share, fleet: f.reads}
			defer i.hold.release() // what was read and not taken
		}
		get := func(ctx context.Context, i *errandItem) (GetResult, error) { return f.get(ctx, e, i, r), nil }
		for result := range fanout.Each(ctx, slices.Values(e.items), cluster.MaxReads, get) {
			value := result.Value
			if result.Err != nil {
				value = GetResult{Err: f.unfinished(e.cluster, result.Err)}
			}
			if !result.Key.yield(value, yield) {
				return
			}
			result.Key.hold.release()
		}
	}
}

func (f *Fleet) get(ctx context.Context, e *errand, i *errandItem, r GetRequest) GetResult {
	if e.member == nil {
		unknown := &UnknownClusterError{Names: []string{e.cluster}}
		return GetResult{Err: cluster.NewError(cluster.NotFound, cluster.PhaseQueue, unknown.Error(), unknown)}
	}
	start := time.Now()
	var result GetResult
	one := FetchRequest{
		Query: i.query, Timeout: r.Timeout, Keep: r.Keep, Shape: shape.Shape{Projection: r.Projection}, Unreachable: r.Unreachable,
	}
	for batch := range f.fetch(ctx, e.member, one, &i.hold) { //nolint:errcheck // it is not patient
		if len(batch.Items) > 0 {
			result.Item = batch.Items[0]
		}
		if end := batch.End; end != nil {
			result.Err, result.Skipped, result.Bytes, result.Queued = end.Err, end.Skipped, end.Bytes, end.Queued
			end.Duration = time.Since(start) - end.Queued
			f.metrics.ended(end)
		}
	}
	result.Duration = time.Since(start) - result.Queued
	return result
}
