package fleet

import (
	"cmp"
	"context"
	"errors"
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
	// Timeout is what one cluster may take, the wait for its turn and for the caller not included; once more where it has not
	// answered and gave its place to another. 0: cluster.DefaultReadTimeout.
	Timeout time.Duration
	// Limit is how many clusters are read at once. 0: the fleet's.
	Limit int
	// LimitPerCluster is the most objects of one cluster; 0: no limit. What is beyond it is not read.
	LimitPerCluster int64
	Keep            Keep
	// Shape selects objects and says what is made of them. Not with tables.
	Shape shape.Shape
	// Unreachable tells which clusters are not to be tried; nil tries all.
	Unreachable Unreachable

	// patient says that a cluster that does not answer gives its place to those that wait for one, and gets another.
	patient bool
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

	arena  []byte  // has the JSON of the items
	arenas *arenas // where the arena came from

	refused *cluster.Error // why no more is wanted
}

// refuse ends the reading with an error of who has got the batch: the next one is the last, and has nothing but an End.
func (b *Batch) refuse(err *cluster.Error) {
	b.refused = err
	if b.End != nil {
		b.End.Err = err
	}
}

// Item is one object.
type Item struct {
	Namespace, Name string
	// JSON is the object, empty where a projection was asked for. It is valid until the batch is released.
	JSON []byte
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
	// Truncated says that there are more objects than were wanted, Inconsistent that the list changed while it was read so
	// that its parts are of different resource versions.
	Truncated, Inconsistent bool
	// Queued is the time spent waiting: for a turn among the clusters of the call, for one at the cluster, where others read
	// and its rate is bounded, and for memory. Duration is the rest, without waiting for the caller.
	Queued, Duration time.Duration

	known bool // the cluster was not tried
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
	r.patient = true
	share := semaphore.NewWeighted(maxCallBytes)
	read := func(ctx context.Context, m *member) iter.Seq2[*Batch, error] {
		return func(yield func(*Batch, error) bool) {
			h := &hold{call: share, fleet: f.reads}
			defer h.release()
			f.fetch(ctx, m, r, h)(yield)
		}
	}
	results := func(yield func(*Batch) bool) {
		for part := range fanout.Stream(ctx, slices.Values(f.toRead(members, r.Unreachable)), f.limit(r.Limit), read) {
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
		return &Batch{Cluster: part.Key.name(), End: f.unread(part.Key, part.Err, part.Queued, part.Took)}
	}
	if part.Value.End != nil {
		f.account(part.Key, part.Value.End, part.Queued, part.Took)
	}
	return part.Value
}

// fetch reads one cluster. It yields no error but, where the request is patient, fanout.ErrPostponed, instead of all else: the
// last batch has any other. What h holds when it is over is the last batch's memory; the caller releases it.
func (f *Fleet) fetch(ctx context.Context, m *member, r FetchRequest, h *hold) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if m.client == nil {
			yield(&Batch{Cluster: m.name(), End: &End{Skipped: true}}, nil)
			return
		}
		if known := r.Unreachable.of(m); known != nil {
			yield(&Batch{Cluster: m.name(), End: &End{Err: known, known: true}}, nil)
			return
		}
		ctx, answered := r.begin(ctx, m)
		watch := newStopwatch(ctx, cmp.Or(r.Timeout, cluster.DefaultReadTimeout))
		defer watch.stop()
		t := newReading(f, m, r, h, watch, answered)
		for batch, err := range t.batches() {
			if errors.Is(err, fanout.ErrPostponed) {
				f.metrics.postponed.Inc()
				yield(nil, err)
				return
			}
			batch.Cluster = m.name()
			if batch.End != nil {
				batch.End.Err = batch.End.behind(failed(ctx, watch.ctx, err))
			}
			if !t.hand(batch, yield) {
				return
			}
		}
	}
}

// hand hands the batch to the caller, whose time is not the cluster's. A page that was asked for ahead does not wait for one
// who is slow, and no other is asked for then.
func (t *reading) hand(batch *Batch, yield func(*Batch, error) bool) bool {
	t.watch.pause()
	defer t.watch.resume()
	next := t.next
	if next == nil {
		return yield(batch, nil)
	}
	patience := time.AfterFunc(callerPatience, next.close)
	more := yield(batch, nil)
	if !patience.Stop() {
		t.forgetNext() // waits until it is closed
		t.slow = true
	}
	return more
}
