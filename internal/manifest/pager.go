package manifest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
)

// maxEmptyPages is how many pages in a row may come without an item although the server says that more follow.
const maxEmptyPages = 1000

// Opener asks for one page of a list: the first one for an empty token, else the one that the token continues. A body
// must fail its reads when ctx ends, as those of HTTP responses do. It is closed when the page has been read.
//
// The pager passes on what an Opener returns, but for an *ExpiredError.
type Opener func(ctx context.Context, continueToken string) (io.ReadCloser, error)

// page is what Reader and TableReader have in common.
type page[T any] interface {
	Next() (T, error)
	Meta() Meta
	Bytes() int64
	Close()
}

// Pager reads a list to its end, page by page. A list whose continue token expires goes on by the token that the server
// gives instead, or is begun anew up to 3 times; no item is delivered twice. A Pager is for one goroutine, and reads its list
// once.
type Pager[T any] struct {
	open    Opener
	read    func(io.Reader) page[T]
	key     func(T) key
	meta    Meta
	pages   int
	items   int64 // delivered
	bytes   int64
	empty   int                 // pages since the last one that brought the list closer to its end
	seen    map[uint64]struct{} // the tokens so far
	hashing maphash.Seed

	first     key  // the first item that was delivered, by its key
	at        key  // the last item of all read since the list was begun, by its key
	begun     bool // there is one
	unordered bool // some item stood behind that
	skipTo    key  // the same of what was delivered before the list was begun anew
	skipping  bool

	expiries     int // since the last item that brought the list closer to its end
	restarts     int
	inconsistent bool
}

// NewPager returns a Pager over the items of a list; opts.List is implied.
func NewPager(open Opener, opts Options) *Pager[Item] {
	opts.List = true
	if opts.Pool == nil {
		opts.Pool = new(Pool)
	}
	return newPager(open, func(body io.Reader) page[Item] { return NewReader(body, opts) }, itemKey)
}

func newPager[T any](open Opener, read func(io.Reader) page[T], keyOf func(T) key) *Pager[T] {
	return &Pager[T]{open: open, read: read, key: keyOf, seen: make(map[uint64]struct{}), hashing: maphash.MakeSeed()}
}

// TablePager is a Pager over the rows of server-side Tables.
type TablePager struct {
	*Pager[Row]
	table *TableReader // the newest
}

// NewTablePager returns a TablePager over the rows of a list.
func NewTablePager(open Opener, opts Options) *TablePager {
	if opts.Pool == nil {
		opts.Pool = new(Pool)
	}
	t := &TablePager{}
	t.Pager = newPager(open, func(body io.Reader) page[Row] {
		t.table = NewTableReader(body, opts)
		return t.table
	}, rowKey)
	return t
}

// Columns returns the columns of the newest page, as TableReader.Columns does.
func (t *TablePager) Columns() []Column {
	if t.table == nil {
		return nil
	}
	return t.table.Columns()
}

// All returns the items of the list. It ends after the last page, or with an error: the Opener's, the body's, the
// reader's, that of ctx, one that wraps ErrExpired, or one that wraps ErrEndless where a continue token or the first object
// came a second time or 1,000 pages in a row brought nothing that stands behind what had come. An item is valid until the next one is asked for.
func (p *Pager[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for token := ""; ; {
			more, err := p.page(ctx, token, yield)
			if err == nil && more {
				err = p.guard()
			}
			switch {
			case err == nil && (!more || p.meta.Continue == ""):
				return
			case err == nil:
				token = p.meta.Continue
			case token != "":
				token, err = p.resume(err)
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
		}
	}
}

// Meta returns what the newest page said beside its items so far.
func (p *Pager[T]) Meta() Meta { return p.meta }

// Pages returns how many pages were opened so far.
func (p *Pager[T]) Pages() int { return p.pages }

// Bytes returns how many bytes the pages had so far.
func (p *Pager[T]) Bytes() int64 { return p.bytes }

// Inconsistent reports whether items were delivered before and after a continue token expired: they are of different
// resource versions of the list.
func (p *Pager[T]) Inconsistent() bool { return p.inconsistent }

// page yields the items of one page. It returns false when the consumer wants no more.
func (p *Pager[T]) page(ctx context.Context, token string, yield func(T, error) bool) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	body, err := p.open(ctx, token)
	if err != nil {
		return false, err
	}
	defer body.Close()
	p.pages++
	p.empty++
	reader := p.read(body)
	defer reader.Close()
	before := p.bytes
	for {
		item, err := reader.Next()
		p.meta, p.bytes = reader.Meta(), before+reader.Bytes()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case ctx.Err() != nil:
			return false, ctx.Err()
		}
		k := p.key(item)
		if p.pass(k) {
			continue
		}
		if p.pages > 1 && p.items > 0 && k.name != "" && k == p.first {
			return false, p.endless("its first object came a second time")
		}
		p.items++
		if !yield(item, nil) {
			return false, nil
		}
	}
}

// guard looks, at the end of a page that is to be continued, for signs that the list has no end.
func (p *Pager[T]) guard() error {
	if p.meta.Continue == "" {
		return nil
	}
	token := maphash.String(p.hashing, p.meta.Continue)
	if _, again := p.seen[token]; again {
		return p.endless("the same continue token came a second time")
	}
	p.seen[token] = struct{}{}
	if p.empty >= maxEmptyPages {
		return p.endless(fmt.Sprintf("%d pages in a row without an item that stands behind what had come", p.empty))
	}
	return nil
}

func (p *Pager[T]) endless(why string) error {
	return &bodyError{ErrEndless, fmt.Sprintf("%v: %s, after %d pages and %d items", ErrEndless, why, p.pages, p.items)}
}
