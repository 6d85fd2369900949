package manifest

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
)

// maxColumns bounds the columns of a table and the cells of a row: some bytes of JSON become many in memory.
const maxColumns = 1024

var errObjectType = errors.New("an object of other types than Kubernetes gives it")

// Column describes one column of a Table.
type Column struct {
	// Name is the heading, such as Ready.
	Name string `json:"name"`
	// Type is the OpenAPI type: string, integer, number, boolean or date.
	Type string `json:"type"`
	// Format is the OpenAPI format, such as name for the column that identifies the object.
	Format string `json:"format"`
	// Priority is 0 for the columns of the standard view, greater for those of a wide one.
	Priority int32 `json:"priority"`
	// Description says what the column shows.
	Description string `json:"description"`
}

// Row is one object in a Table.
type Row struct {
	// Cells are the texts of the columns as kubectl prints them: strings as they are, null as nothing, integers in full,
	// other numbers in Go's %v. Objects and arrays are compact JSON. They are not escaped. Cells that have no column are
	// dropped as far as the columns stand before the rows, which API servers let them.
	Cells []string
	// Namespace and Name are those of the row's object; empty where the table does not include it.
	Namespace, Name string
}

// TableReader reads the rows of one body, a Table of group meta.k8s.io. A TableReader is for one goroutine.
type TableReader struct {
	doc     document
	pool    *Pool
	buf     *buffers
	header  header
	columns []Column
	phase   phase
	ends    []int // where the cells of a row end in its text
	err     error
}

// NewTableReader returns a TableReader of body, which it reads to its end but does not close. Close it when done. Of opts
// it uses the bound and the pool.
func NewTableReader(body io.Reader, opts Options) *TableReader {
	t := &TableReader{pool: opts.Pool, buf: opts.Pool.get()}
	t.doc.init(body, t.buf, opts.maxItemBytes())
	return t
}

// Next returns the next row. After the last one, when the end of the document has been verified, it returns io.EOF. Any
// other error is final and as those of Reader.Next; a body that is no Table is malformed.
func (t *TableReader) Next() (Row, error) {
	if t.err != nil {
		return Row{}, t.err
	}
	row, err := t.next()
	t.err = err
	return row, err
}

// Columns returns the columns: where API servers put them, before the rows, as soon as there is a row, else after io.EOF.
func (t *TableReader) Columns() []Column { return t.columns }

// Meta returns what the body said beside its rows so far: what stands before the rows as soon as there is a row, all of
// it after io.EOF.
func (t *TableReader) Meta() Meta { return t.header.listMeta() }

// Bytes returns how many bytes were read from the body so far.
func (t *TableReader) Bytes() int64 { return t.doc.src.received }

// Close gives the buffers back to Options.Pool, and Next fails. Columns, Meta, Bytes and the rows stay.
func (t *TableReader) Close() {
	if t.buf == nil {
		return
	}
	t.doc.release(t.pool, t.buf)
	t.buf = nil
	if t.err == nil {
		t.err = errClosed
	}
}

func (t *TableReader) next() (Row, error) {
	if t.phase == beforeItems {
		if err := t.doc.open(); err != nil {
			return Row{}, err
		}
		if err := t.members(); err != nil {
			return Row{}, err
		}
	}
	raw, err := t.doc.element()
	if err != nil {
		return Row{}, err
	}
	if raw.json != nil {
		return t.row(&raw)
	}
	t.phase = afterItems
	return Row{}, t.members()
}

// members reads members up to the first row, or to the end of the document and returns io.EOF.
func (t *TableReader) members() error {
	for {
		name, ok, err := t.doc.member()
		if err != nil {
			return err
		}
		if !ok {
			return t.finish()
		}
		if name == "rows" && t.doc.kind() == '[' {
			t.phase = inItems
			t.doc.enter()
			return nil
		}
		if err := t.beside(name); err != nil {
			return err
		}
	}
}

func (t *TableReader) beside(name string) error {
	value, err := t.doc.value()
	if err != nil {
		return err
	}
	at := t.doc.pos - int64(len(value))
	switch name {
	case "columnDefinitions":
		return t.readColumns(value, at)
	case "rows":
		if value[0] != 'n' {
			return malformed(at, "the rows of a Table that are no array")
		}
	}
	if err := t.header.read(name, value, at, &t.buf.names); err != nil {
		return err
	}
	if kind := t.header.kind; kind != "" && kind != "Table" && kind != "Status" {
		return malformed(at, "a Table was asked for, and this is a %s", kind)
	}
	return nil
}

// finish judges a document that was read to its end.
func (t *TableReader) finish() error {
	if err := t.header.check(t.doc.begin); err != nil {
		return err
	}
	if t.header.isStatus() && t.phase == beforeItems {
		if err := failureStatus(t.doc.whole().json, t.doc.begin); err != nil {
			return err
		}
	}
	if t.header.kind != "Table" || !strings.HasPrefix(t.header.apiVersion, "meta.k8s.io/") {
		return malformed(t.doc.begin, "a Table was asked for, and this is a %s of %s", t.header.kind, t.header.apiVersion)
	}
	return io.EOF
}

func (t *TableReader) readColumns(value []byte, at int64) error {
	if value[0] == '[' && elements(value) > maxColumns {
		return malformed(at, "a Table of more than %d columns", maxColumns)
	}
	if err := json.Unmarshal(value, &t.columns); err != nil {
		return malformed(at, "columnDefinitions of other types than Kubernetes gives them")
	}
	return nil
}

// elements counts those of an array, up to one more than a table may have columns.
func elements(array []byte) int {
	n := 0
	for w := (&scanned{json: array}).walk(0); ; n++ {
		if _, _, ok := w.element(); !ok || n > maxColumns {
			return n
		}
	}
}

// row makes a Row of raw.
func (t *TableReader) row(raw *scanned) (Row, error) {
	at := t.doc.scanner.origin + int64(raw.shift)
	row := Row{}
	t.buf.names.reset()
	cells, object := absent, absent
	for w := raw.walk(0); w.member(); {
		if !t.buf.names.add(w.name) {
			return Row{}, malformed(at, "%v in a row", errDuplicate)
		}
		switch string(w.name) {
		case "cells":
			cells = w.value
		case "object":
			object = w.value
		}
	}
	var ok bool
	if row.Cells, ok = t.cells(raw, cells); !ok {
		return Row{}, malformed(at, "a row of other types than Kubernetes gives it, or of more than %d cells", maxColumns)
	}
	err := t.identify(&row, raw, object)
	if err != nil {
		return Row{}, malformed(at, "%v in a row", err)
	}
	return row, nil
}

// cells returns the cells of the array at raw.json[at], all of them parts of one string.
func (t *TableReader) cells(raw *scanned, at int) ([]string, bool) {
	if at == absent || raw.json[at] != '[' {
		return nil, at == absent || raw.json[at] == 'n'
	}
	out := t.buf.out[:0]
	t.ends = t.ends[:0]
	for w := raw.walk(at); t.columns == nil || len(t.ends) < len(t.columns); {
		start, end, ok := w.element()
		if !ok {
			break
		}
		if len(t.ends) == maxColumns {
			return nil, false
		}
		out = appendCell(out, raw.json[start:end])
		t.ends = append(t.ends, len(out))
	}
	t.buf.out = out
	text, from := string(out), 0
	cells := make([]string, len(t.ends))
	for i, end := range t.ends {
		cells[i] = text[from:end]
		from = end
	}
	return cells, true
}

// identify gives row the namespace and name of the object at raw.json[at].
func (t *TableReader) identify(row *Row, raw *scanned, at int) error {
	if at == absent || raw.json[at] == 'n' {
		return nil
	}
	if raw.json[at] != '{' {
		return errObjectType
	}
	o, err := raw.lookAt(at, &t.buf.names)
	if err != nil {
		return err
	}
	m, err := raw.lookAtMetadata(o.metadata, &t.buf.names)
	if err != nil {
		return err
	}
	namespace, name, ok := raw.identity(m)
	if !ok {
		return errObjectType
	}
	row.Namespace, row.Name = t.buf.shelf.again(namespace), t.buf.shelf.string(name)
	return nil
}
