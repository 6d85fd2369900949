package fleet

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

const (
	// maxItemBytes bounds one object. With its name around it, it fits into a message of 4 MiB.
	maxItemBytes = 4<<20 - 64<<10
	// batchBytes is how much JSON goes into one batch, unless a single object is larger.
	batchBytes = 256 << 10
	// readWeight is what one cluster's reading holds in memory at most: an object being read, and a batch.
	readWeight = maxItemBytes + batchBytes
)

// reading is the reading of one cluster, batch by batch.
type reading struct {
	fleet  *Fleet
	member *member
	query  cluster.Query
	keep   Keep

	batch *Batch
	size  int // bytes of JSON in batch
	end   End
}

func newReading(f *Fleet, m *member, r FetchRequest) *reading {
	return &reading{fleet: f, member: m, query: r.Query, keep: r.Keep, batch: &Batch{}}
}

// batches yields the objects in batches. The last one, also after an error, carries the End; the error is beside it.
func (t *reading) batches(ctx context.Context) iter.Seq2[*Batch, error] {
	read := t.list
	switch {
	case t.query.Format == cluster.TableFormat:
		read = t.table
	case t.query.Name != "":
		read = t.single
	}
	return func(yield func(*Batch, error) bool) {
		stopped := false
		err := read(ctx, func() bool {
			stopped = stopped || !yield(t.take(), nil)
			return !stopped
		})
		if stopped {
			return
		}
		last := t.take()
		last.End = &t.end
		yield(last, err)
	}
}

// take returns the batch so far and begins another.
func (t *reading) take() *Batch {
	full := t.batch
	t.batch, t.size = &Batch{}, 0
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

func (t *reading) open(ctx context.Context, continueToken string) (io.ReadCloser, error) {
	return t.member.client.Read(ctx, t.query, continueToken)
}

// list reads a list. flush hands the batch on and reports whether to go on.
func (t *reading) list(ctx context.Context, flush func() bool) error {
	pager := manifest.NewPager(t.open, t.options())
	defer func() { t.account(pager.Meta(), pager.Pages(), pager.Bytes()) }()
	pages := 0
	for item, err := range pager.All(ctx) {
		if err != nil {
			return err
		}
		if t.full(len(item.JSON), pager.Pages() != pages) && !flush() {
			return nil
		}
		pages = pager.Pages()
		t.add(pager.Meta(), item)
	}
	return nil
}

// full reports whether the batch has to go before size more bytes: it is large enough, or a new page has begun, for which
// the objects of the last one should not have waited.
func (t *reading) full(size int, newPage bool) bool {
	return t.size > 0 && (newPage || t.size+size > batchBytes)
}

func (t *reading) add(meta manifest.Meta, item manifest.Item) {
	t.batch.APIVersion, t.batch.Kind = meta.APIVersion, meta.Kind
	t.batch.Items = append(t.batch.Items, Item{Namespace: item.Namespace, Name: item.Name, JSON: string(item.JSON)})
	t.size += len(item.JSON)
	t.end.Items++
}

func (t *reading) account(meta manifest.Meta, pages int, bytes int64) {
	t.end.Pages, t.end.Bytes, t.end.ResourceVersion = pages, bytes, meta.ResourceVersion
}

// table reads a list, or one object, as the rows that the server prints.
func (t *reading) table(ctx context.Context, flush func() bool) error {
	pager := manifest.NewTablePager(t.open, t.options())
	defer func() { t.account(pager.Meta(), pager.Pages(), pager.Bytes()) }()
	pages := 0
	for row, err := range pager.All(ctx) {
		if err != nil {
			return err
		}
		size := rowSize(row)
		if t.full(size, pager.Pages() != pages) && !flush() {
			return nil
		}
		pages = pager.Pages()
		if t.end.Items == 0 {
			t.batch.Columns = pager.Columns()
		}
		t.batch.Rows = append(t.batch.Rows, row)
		t.size += size
		t.end.Items++
	}
	if t.end.Items == 0 {
		t.batch.Columns = pager.Columns()
	}
	return nil
}

func rowSize(row manifest.Row) int {
	size := len(row.Namespace) + len(row.Name)
	for _, cell := range row.Cells {
		size += len(cell)
	}
	return size
}

// single reads one object.
func (t *reading) single(ctx context.Context, _ func() bool) error {
	body, err := t.open(ctx, "")
	if err != nil {
		return err
	}
	defer body.Close()
	reader := manifest.NewReader(body, t.options())
	defer reader.Close()
	defer func() {
		t.account(manifest.Meta{}, 1, reader.Bytes())
	}()
	item, err := reader.Next()
	if err != nil {
		return err
	}
	t.add(reader.Meta(), item)
	if _, err = reader.Next(); errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// failed returns why reading a cluster failed, nil if it did not. ctx is that of the whole call.
func failed(ctx context.Context, err error) *cluster.Error {
	if err == nil {
		return nil
	}
	e := explain(err)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return cluster.Unfinished(e.Phase, context.Cause(ctx))
	}
	return e
}

func explain(err error) *cluster.Error {
	if status, ok := errors.AsType[*manifest.StatusError](err); ok {
		return cluster.NewStatusError(int(status.Code), status.Message)
	}
	switch {
	case errors.Is(err, manifest.ErrMalformed):
		return cluster.NewError(cluster.MalformedResponse, cluster.PhaseBody, "the answer is not what Kubernetes sends: "+err.Error(), err)
	case errors.Is(err, manifest.ErrTooLarge), errors.Is(err, manifest.ErrEndless):
		return cluster.NewError(cluster.ResponseTooLarge, cluster.PhaseBody, err.Error(), err)
	}
	return cluster.Classify(err, cluster.PhaseBody)
}
