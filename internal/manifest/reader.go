package manifest

import (
	"errors"
	"io"
	"strings"
)

// Item is one object.
type Item struct {
	// Namespace and Name are the object's, out of its metadata, as the server sent them: any text, empty where it has
	// none.
	Namespace, Name string
	// JSON is the object, the very bytes that the server sent less what was cut out. It is valid until the next call of
	// Next or Close.
	JSON []byte
}

// Reader reads the items of one body: those of a list, or a single object as the only item.
//
// A body is a list if its kind ends in List and it has items that are an array or null; anything else is a single
// object, one with a member called items as well. API servers write the kind first for built-in types, but after the
// items for custom resources. The kind is then not known when the items arrive, and the Reader holds the body back until
// it has seen the kind or Options.MaxItemBytes. A larger body can only be a list: no single object of that size would be
// accepted. Its items are delivered, and the kind is checked at the end. With Options.List nothing is held back. An item
// that is delivered before the kind of its list is known must say its own kind, as API servers let those items: it could
// be a Secret.
//
// A Reader is for one goroutine.
type Reader struct {
	doc    document
	opts   Options
	buf    *buffers
	header header
	phase  phase
	list   bool // the body is a list, or taken for one until its end
	held   bool // items came before the kind and were held back
	single bool // the body is no list
	err    error
}

// phase is how far a body has been read.
type phase int

const (
	beforeItems phase = iota
	inItems
	afterItems
)

// NewReader returns a Reader of body, which it reads to its end but does not close. Close it when done.
func NewReader(body io.Reader, opts Options) *Reader {
	r := &Reader{opts: opts, buf: opts.Pool.get(), list: opts.List}
	r.doc.init(body, r.buf, opts.maxItemBytes())
	return r
}

// Next returns the next item. After the last one, when the end of the document has been verified, it returns io.EOF.
//
// Any other error is final. It wraps ErrMalformed or ErrTooLarge, is a *StatusError where the body is a Status of
// failure, or is what the body's Read returned. An item that was not read to its end is never returned.
func (r *Reader) Next() (Item, error) {
	if r.err != nil {
		return Item{}, r.err
	}
	item, err := r.next()
	r.err = err
	return item, err
}

// Meta returns what the body said beside its items so far: what stands before the items as soon as there is an item,
// all of it after io.EOF.
func (r *Reader) Meta() Meta {
	if r.single {
		return Meta{APIVersion: r.header.apiVersion, Kind: r.header.kind}
	}
	return r.header.listMeta()
}

// Bytes returns how many bytes were read from the body so far.
func (r *Reader) Bytes() int64 { return r.doc.src.received }

// Close gives the buffers back to Options.Pool: the JSON of the last item is not valid any more, and Next fails. Meta
// and Bytes stay.
func (r *Reader) Close() {
	if r.buf == nil {
		return
	}
	r.doc.release(r.opts.Pool, r.buf)
	r.buf = nil
	if r.err == nil {
		r.err = errClosed
	}
}

func (r *Reader) next() (Item, error) {
	if r.phase == beforeItems {
		if err := r.begin(); err != nil {
			return Item{}, err
		}
		if r.single {
			return r.item(r.doc.whole())
		}
	}
	if r.phase == inItems {
		raw, err := r.doc.element()
		if err != nil {
			return Item{}, err
		}
		if raw.json != nil {
			return r.item(raw)
		}
		r.phase = afterItems
	}
	if r.single {
		return Item{}, io.EOF
	}
	return Item{}, r.finish()
}

// begin reads up to the first item of a list, or a single object to its end. What was held back turns out to be a list
// by the kind that comes after it, or because it is too large for a single object; it is then read again as one.
func (r *Reader) begin() error {
	err := r.seek()
	if !r.held || r.phase != beforeItems {
		return err
	}
	if err != nil && (r.header.kind != "" || !errors.Is(err, ErrTooLarge)) {
		return err
	}
	r.list = true
	r.doc.rewind()
	return r.seek()
}

// seek is begin without a second look. It returns early, still before the items, when they were held back and a kind
// that follows tells that they are those of a list.
func (r *Reader) seek() error {
	if err := r.doc.open(); err != nil {
		return err
	}
	for r.phase == beforeItems {
		name, ok, err := r.doc.member()
		switch {
		case err != nil:
			return err
		case !ok:
			return r.whole()
		case name == "items":
			err = r.atItems()
		default:
			err = r.beside(name)
		}
		if err != nil {
			return err
		}
		if r.held && !r.list && isListKind(r.header.kind) {
			return nil
		}
	}
	return nil
}

// atItems decides, at the value of a member called items, whether the body is a list.
func (r *Reader) atItems() error {
	kind := r.doc.kind()
	canBeList := kind == '[' || kind == 'n'
	isKnown := r.header.kind != ""
	isList := canBeList && (isListKind(r.header.kind) || !isKnown && r.list)
	switch {
	case isList && kind == '[':
		r.phase = inItems
		r.doc.enter()
		return nil
	case isList:
		r.phase, r.doc.keep = afterItems, false
	case r.list:
		return malformed(r.doc.pos, "a list was asked for, and its items are none")
	case canBeList && !isKnown:
		r.held = true
	}
	_, err := r.doc.value()
	return err
}

// beside reads the value of a member other than items.
func (r *Reader) beside(name string) error {
	value, err := r.doc.value()
	if err != nil {
		return err
	}
	return r.header.read(name, value, r.doc.pos-int64(len(value)), &r.buf.names)
}

// whole decides what a document without a list's items is.
func (r *Reader) whole() error {
	if err := r.header.check(r.doc.begin); err != nil {
		return err
	}
	if r.header.isStatus() {
		if err := failureStatus(r.doc.whole().json, r.doc.begin); err != nil {
			return err
		}
	}
	r.phase = afterItems
	switch {
	case !r.list:
		r.single = true
	case !isListKind(r.header.kind):
		return malformed(r.doc.begin, "a list was asked for, and this is a %s", r.header.kind)
	default:
		return io.EOF
	}
	return nil
}

// finish reads what stands after the items and verifies that they were those of a list.
func (r *Reader) finish() error {
	for {
		name, ok, err := r.doc.member()
		switch {
		case err != nil:
			return err
		case !ok:
			return r.verify()
		}
		if err := r.beside(name); err != nil {
			return err
		}
	}
}

func (r *Reader) verify() error {
	if err := r.header.check(r.doc.begin); err != nil {
		return err
	}
	if !isListKind(r.header.kind) {
		return malformed(r.doc.begin, "read as a list, and its kind is %s", r.header.kind)
	}
	return io.EOF
}

// item makes an Item of raw.
func (r *Reader) item(raw scanned) (Item, error) {
	at := r.doc.scanner.origin + int64(raw.shift)
	o, err := raw.lookAt(0, &r.buf.names)
	if err != nil {
		return Item{}, malformed(at, "%v in an item", err)
	}
	m, err := raw.lookAtMetadata(o.metadata, &r.buf.names)
	if err != nil {
		return Item{}, malformed(at, "%v in the metadata of an item", err)
	}
	kind, kindOK := textAt(raw.json, o.kind)
	_, versionOK := textAt(raw.json, o.apiVersion)
	namespace, name, identityOK := raw.identity(m)
	if !kindOK || !versionOK || !identityOK {
		return Item{}, malformed(at, "kind, apiVersion or metadata of another type than Kubernetes gives them")
	}
	if len(kind) == 0 && strings.TrimSuffix(r.header.kind, listSuffix) == "" && !r.opts.Secrets && !r.opts.SecretData {
		// It could be a Secret. Where the list says its kind after the items, or is of any kind, API servers let each item say
		// its own.
		return Item{}, malformed(at, "an item without a kind in a list that has not said of which kind its items are")
	}
	item := Item{Namespace: r.buf.shelf.again(namespace), Name: r.buf.shelf.string(name)}
	secret := r.opts.Secrets || isSecret(r.header.apiVersion, strings.TrimSuffix(r.header.kind, listSuffix))
	redactor := redactor{&raw, r.opts.ManagedFields, r.opts.SecretData, r.buf}
	item.JSON, err = redactor.redact(o, m, secret)
	if err != nil {
		return Item{}, malformed(at, "%v", err)
	}
	return item, nil
}
