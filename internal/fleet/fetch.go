package fleet

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/shape"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// FetchRequest asks for the objects of one type.
type FetchRequest struct {
	Selector Selector
	Query    cluster.Query
	// Timeout is what one cluster may take, the wait for its turn and for the caller not included. 0:
	// cluster.DefaultReadTimeout.
	Timeout time.Duration
	// Limit is how many clusters are read at once. 0: the fleet's.
	Limit int
	Keep  Keep
	// Shape selects objects and says what is made of them. Not with tables.
	Shape shape.Shape
	// Unreachable returns why a cluster need not be tried, nil for one that is to be tried; nil tries all.
	Unreachable func(name string) *cluster.Error
}

// Keep says what is not removed from objects.
type Keep struct {
	ManagedFields, SecretData bool
}

// Batch is some objects of one cluster. The batches of a cluster come in order; the last one has an End. A batch holds
// at most about 256 KiB, or one object of at most 4 MiB less what a message needs around it.
type Batch struct {
	Cluster string
	// APIVersion and Kind are those of the objects, empty where the objects themselves say it.
	APIVersion, Kind string
	Items            []Item
	Columns          []manifest.Column // of tables, on the first batch
	Rows             []manifest.Row
	End              *End
}

// Item is one object.
type Item struct {
	Namespace, Name string
	// JSON is the object, empty where a projection was asked for.
	JSON string
	// Projection is what the projection printed, at most 64 KiB.
	Projection string
}

// End says how the reading of one cluster ended.
type End struct {
	Err     *cluster.Error // nil if all was read
	Skipped bool           // for virtual clusters

	Items, Bytes int64
	Pages        int
	// ResourceVersion is the list's, empty for single objects and failures.
	ResourceVersion string
	// Queued is the time spent waiting for a turn, Duration that from the turn to the end, without waiting for the caller.
	Queued, Duration time.Duration
}

// Fetch reads the objects of one type from the selected clusters. No more is read than the range over the results takes.
func (f *Fleet) Fetch(ctx context.Context, r FetchRequest) (Run[*Batch], error) {
	if err := checkQuery("", r.Query); err != nil {
		return Run[*Batch]{}, err
	}
	members, err := f.selected(r.Selector)
	if err != nil {
		return Run[*Batch]{}, err
	}
	share := semaphore.NewWeighted(maxCallBytes)
	read := func(ctx context.Context, m *member) iter.Seq2[*Batch, error] {
		return func(yield func(*Batch, error) bool) {
			h := &hold{call: share, fleet: f.reads}
			defer h.release()
			f.fetch(ctx, m, r, h)(yield)
		}
	}
	results := func(yield func(*Batch) bool) {
		for part := range fanout.Stream(ctx, slices.Values(f.ordered(members, readWork)), f.limit(r.Limit), read) {
			batch := f.fetched(part)
			if batch != nil && !yield(batch) {
				return
			}
		}
	}
	return Run[*Batch]{Expected: len(members), Results: results}, nil
}

// fetched returns the batch of a part, nil for the end of a stream that has had its End.
func (f *Fleet) fetched(part fanout.Part[*member, *Batch]) *Batch {
	if part.Done {
		if part.Err == nil {
			return nil
		}
		return &Batch{
			Cluster: part.Key.name(),
			End:     &End{Err: f.unfinished(part.Key.name(), part.Err), Queued: part.Queued, Duration: part.Took},
		}
	}
	if end := part.Value.End; end != nil {
		end.Duration = part.Took - end.Queued
		end.Queued += part.Queued
		if end.Err == nil || end.Err.Blame != cluster.BlameObserver {
			part.Key.pace.set(readWork, end.Duration)
		}
	}
	return part.Value
}

// fetch reads one cluster. It yields no error: the last batch has it. What h holds when it is over is the last batch's
// memory; the caller releases it.
func (f *Fleet) fetch(ctx context.Context, m *member, r FetchRequest, h *hold) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if m.client == nil {
			yield(&Batch{Cluster: m.name(), End: &End{Skipped: true}}, nil)
			return
		}
		if known := r.knownUnreachable(m.name()); known != nil {
			yield(&Batch{Cluster: m.name(), End: &End{Err: known}}, nil)
			return
		}
		watch := newStopwatch(ctx, cmp.Or(r.Timeout, cluster.DefaultReadTimeout))
		defer watch.stop()
		t := newReading(f, m, r, h, watch)
		for batch, err := range t.batches() {
			batch.Cluster = m.name()
			if batch.End != nil {
				batch.End.Err = failed(ctx, watch.ctx, err)
			}
			watch.pause() // waiting for the caller is not the cluster's time
			more := yield(batch, nil)
			watch.resume()
			if !more {
				return
			}
		}
	}
}

func (r FetchRequest) knownUnreachable(name string) *cluster.Error {
	if r.Unreachable == nil {
		return nil
	}
	return r.Unreachable(name)
}
