package fleet

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/shape"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

const (
	// maxItemBytes bounds one object. With what stands around it, it fits into a message of 4 MiB.
	maxItemBytes = 4<<20 - 64<<10
	// batchBytes is how much goes into one batch, unless a single object is larger.
	batchBytes = 256 << 10
	// firstBytes is how much goes into the first batch of a cluster; each holds twice as much as the one before. Where many
	// clusters answer at once a batch takes long to fill, and the caller has something of each of them early.
	firstBytes = 16 << 10
	// entryBytes is what an object or a row costs beside its text, and cellBytes what a cell does: a cluster that sends
	// millions of empty ones does not get around the bound of a batch.
	entryBytes = 64
	cellBytes  = 16
	// maxNameBytes bounds names, kinds and versions. Those of Kubernetes are shorter.
	maxNameBytes = 1 << 10
)

// errLeft ends the reading for a caller who wants no more.
var errLeft = errors.New("the caller wants no more")

// reading is the reading of one cluster, batch by batch. It is for one goroutine.
type reading struct {
	fleet  *Fleet
	member *member
	hold   *hold
	query  cluster.Query
	// resource is what the query has been resolved to, once a page is open.
	resource cluster.Resource
	keep     Keep
	limit    int64 // of objects; 0: none
	shape    shape.Shape
	watch    *stopwatch
	// answered says that there is an answer, and reports whether that is in time; nil once there is, or without patience.
	answered func() bool
	// flush hands the batch on and reports whether the caller wants more.
	flush func() bool

	batch *Batch
	size  int // bytes in batch
	room  int // bytes that it may have
	end   End

	// next is the page asked for ahead, nil if there is none. expected is how many objects there may be when the page that is
	// being read is at its end, looked says that it was tried to ask for the next one.
	next     *ahead
	expected int64
	looked   bool
	// slow says that the caller kept a page waiting that was asked for ahead.
	slow bool
}

func newReading(f *Fleet, m *member, r FetchRequest, h *hold, watch *stopwatch, answered func() bool) *reading {
	return &reading{
		fleet: f, member: m, hold: h, query: r.Query, keep: r.Keep, shape: r.Shape, limit: r.LimitPerCluster, watch: watch,
		answered: answered,
		batch:    &Batch{}, room: firstBytes,
	}
}

// batches yields the objects in batches. The last one, also after an error, carries the End; the error is beside it.
func (t *reading) batches() iter.Seq2[*Batch, error] {
	read := t.list
	switch {
	case t.query.Format == cluster.TableFormat:
		read = t.table
	case t.query.Name != "":
		read = t.single
	}
	return func(yield func(*Batch, error) bool) {
		var refused *cluster.Error
		t.flush = func() bool {
			full := t.take()
			more := yield(full, nil)
			if more {
				refused = full.refused
			}
			return more && refused == nil
		}
		defer t.forgetNext()
		err := read(t.watch.ctx)
		if errors.Is(err, errLeft) {
			if refused == nil {
				return
			}
			err = refused
		}
		t.forgetNext() // what follows may wait for the caller
		if errors.Is(err, errEnough) {
			t.end.Truncated, err = true, checkNames(t.end.ResourceVersion)
		}
		if err != nil {
			t.end.ResourceVersion = ""
		}
		t.end.Queued = t.watch.queued
		last := t.take()
		last.End = &t.end
		yield(last, err)
	}
}

// take returns the batch so far and begins another.
func (t *reading) take() *Batch {
	full := t.batch
	t.batch, t.size, t.room = &Batch{}, 0, min(2*t.room, batchBytes)
	return full
}

func (t *reading) options() manifest.Options {
	return manifest.Options{
		MaxItemBytes:  maxItemBytes,
		ManagedFields: t.keep.ManagedFields,
		SecretData:    t.keep.SecretData,
		Secrets:       isSecret(t.query.Type),
		Pool:          &t.fleet.buffers,
	}
}

// isSecret reports whether a type name can mean the Secrets of the core group.
func isSecret(n cluster.TypeName) bool {
	name := strings.ToLower(n.Name)
	return n.Group == "" && (name == "secrets" || name == "secret")
}

// open begins a page. What the pages before it brought does not wait for its answer, and holds no memory meanwhile.
func (t *reading) open(ctx context.Context, continueToken string) (io.ReadCloser, error) {
	if continueToken != "" && t.full() {
		return nil, errEnough
	}
	if t.size > 0 && !t.flush() {
		return nil, errLeft
	}
	t.looked = false
	if next := t.next; next != nil && next.token == continueToken {
		return t.openNext(next)
	}
	t.forgetNext()
	t.hold.release()
	body, err := t.ask(ctx, continueToken)
	if err != nil {
		return nil, unended(err, continueToken)
	}
	if err := t.reserve(ctx); err != nil {
		_ = body.Close() // it was not looked at
		return nil, err
	}
	t.resource = body.Resource
	return body, nil
}

// unended is err, but for a page that is not the first: one whose token has expired is the pager's business, and a list whose
// time ran out while its next page waited for the cluster's rate has had its turn, and did not come to an end.
func unended(err error, continueToken string) error {
	if continueToken == "" {
		return err
	}
	if fresh, expired := cluster.Expired(err); expired {
		return &manifest.ExpiredError{Continue: fresh, Err: err}
	}
	e, ok := errors.AsType[*cluster.Error](err)
	if !ok || e.Reason != cluster.QueueTimeout {
		return err
	}
	return cluster.NewError(cluster.ResponseTimeout, e.Phase, "the list did not come to an end in time", err)
}

// reserve waits until there is memory for a page. The wait is not the cluster's time.
func (t *reading) reserve(ctx context.Context) error {
	if t.hold.tryAcquire() {
		return nil
	}
	t.watch.Wait()
	defer t.watch.Go()
	if err := t.hold.acquire(ctx); err != nil {
		return cluster.Unfinished(cluster.PhaseQueue, context.Cause(ctx))
	}
	return nil
}

// list reads a list.
func (t *reading) list(ctx context.Context) error {
	pager := manifest.NewPager(t.open, t.options())
	defer func() {
		t.account(pager.Meta(), pager.Pages(), pager.Bytes())
		t.end.Inconsistent = pager.Inconsistent()
	}()
	for item, err := range pager.All(ctx) {
		meta := pager.Meta()
		if err == nil {
			t.lookAhead(ctx, meta.Continue)
			err = t.addItem(meta, item)
		}
		if err == nil {
			err = t.enough(meta)
		}
		if err != nil {
			return err
		}
	}
	return checkNames(pager.Meta().ResourceVersion)
}

// table reads a list, or one object, as the rows that the server prints.
func (t *reading) table(ctx context.Context) error {
	pager := manifest.NewTablePager(t.open, t.options())
	defer func() {
		t.account(pager.Meta(), pager.Pages(), pager.Bytes())
		t.end.Inconsistent = pager.Inconsistent()
	}()
	for row, err := range pager.All(ctx) {
		meta := pager.Meta()
		if err == nil && t.end.Items == 0 {
			t.addColumns(pager.Columns())
		}
		if err == nil {
			t.lookAhead(ctx, meta.Continue)
			err = t.addRow(row)
		}
		if err == nil {
			err = t.enough(meta)
		}
		if err != nil {
			return err
		}
	}
	if t.end.Items == 0 {
		t.addColumns(pager.Columns())
	}
	return checkNames(pager.Meta().ResourceVersion)
}

// single reads one object.
func (t *reading) single(ctx context.Context) error {
	body, err := t.open(ctx, "")
	if err != nil {
		return err
	}
	defer body.Close()
	reader := manifest.NewReader(body, t.options())
	defer reader.Close()
	defer func() { t.account(manifest.Meta{}, 1, reader.Bytes()) }()
	item, err := reader.Next()
	if errors.Is(err, io.EOF) {
		return errNotSingle()
	}
	if err != nil {
		return err
	}
	if err := t.addItem(reader.Meta(), item); err != nil {
		return err
	}
	switch _, err = reader.Next(); {
	case err == nil:
		return errNotSingle()
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

func errNotSingle() error {
	return cluster.NewError(cluster.MalformedResponse, cluster.PhaseBody, "one object was asked for, and the server sent a list", nil)
}

func (t *reading) account(meta manifest.Meta, pages int, bytes int64) {
	t.end.Pages, t.end.Bytes, t.end.ResourceVersion = pages, bytes, meta.ResourceVersion
}
