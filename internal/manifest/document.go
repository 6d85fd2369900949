package manifest

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// slack is how far the decoder may read beyond the bound of a value: for the whitespace and the delimiter around it.
const slack = 4 << 10

// document walks the members of the JSON object that a body is, and the elements of one array among them.
type document struct {
	src      source
	decoder  *jsontext.Decoder
	max      int64 // bound of an element, and of all that stands beside the elements
	begin    int64 // where the object begins
	end      int64 // where it ended
	array    int64 // where the array begins
	elements int64 // the bytes of the array
	largest  int64 // the longest value so far
}

func (d *document) init(body io.Reader, buf *buffers, limit int64) {
	d.src = source{body: body, kept: buf.kept, keep: true}
	d.decoder = buf.decoder
	d.max = limit
}

// release gives buf back to pool. The document cannot be used any more.
func (d *document) release(pool *Pool, buf *buffers) {
	buf.kept = d.src.kept
	pool.put(buf, d.largest)
	d.src.body, d.src.kept, d.src.replay = nil, nil, nil
	d.decoder = nil
}

// open reads the brace that the document begins with.
func (d *document) open() error {
	d.begin, d.elements = 0, 0
	d.decoder.Reset(&d.src)
	d.src.limit = d.max + slack
	token, err := d.decoder.ReadToken()
	switch {
	case err == io.EOF: //nolint:errorlint // the decoder returns io.EOF itself; a failure of the body may wrap one
		return malformed(0, "the body is empty")
	case err != nil:
		return d.beside(err)
	case token.Kind() != jsontext.KindBeginObject:
		return malformed(d.offset()-1, "a JSON value that is no object")
	}
	d.begin = d.offset() - 1
	return nil
}

// member reads the name of the next member. After the last one it makes sure that nothing follows the document and
// returns false.
func (d *document) member() (string, bool, error) {
	d.boundBeside()
	if d.decoder.PeekKind() == jsontext.KindEndObject {
		return "", false, d.close()
	}
	name, err := d.valueBeside()
	if err != nil {
		return "", false, err
	}
	return string(text(name)), true, nil
}

// close reads the brace that the document ends with and what comes after it, up to the end of the body.
func (d *document) close() error {
	if _, err := d.decoder.ReadToken(); err != nil {
		return d.beside(err)
	}
	if err := d.checkBeside(); err != nil {
		return err
	}
	d.src.keep = false
	d.end = d.offset()
	d.src.limit = d.src.given + slack
	switch _, err := d.decoder.ReadToken(); {
	case err == nil:
		return malformed(d.end, "more data after the end of the document")
	case err != io.EOF: //nolint:errorlint // as above
		return d.beside(err)
	}
	return nil
}

// value reads the value of a member. It is valid until the next call.
func (d *document) value() (jsontext.Value, error) {
	d.boundBeside()
	return d.valueBeside()
}

func (d *document) valueBeside() (jsontext.Value, error) {
	value, err := d.decoder.ReadValue()
	if err != nil {
		return nil, d.beside(err)
	}
	d.largest = max(d.largest, int64(len(value)))
	return value, d.checkBeside()
}

// kind tells of which kind the value of a member is, without reading it; KindInvalid where reading it will fail.
func (d *document) kind() jsontext.Kind {
	d.boundBeside()
	return d.decoder.PeekKind()
}

// enter reads the bracket of the array whose elements are to be read one by one.
func (d *document) enter() error {
	if _, err := d.decoder.ReadToken(); err != nil {
		return d.beside(err)
	}
	d.array = d.offset() - 1
	return nil
}

// element reads the next object of the array, valid until the next call, or its closing bracket and returns nil.
func (d *document) element() (jsontext.Value, error) {
	d.src.limit = d.offset() + d.max + slack
	switch kind := d.decoder.PeekKind(); kind {
	case jsontext.KindEndArray:
		if _, err := d.decoder.ReadToken(); err != nil {
			return nil, d.beside(err)
		}
		d.elements = d.offset() - d.array
		return nil, nil
	case jsontext.KindBeginObject, jsontext.KindInvalid:
	default:
		return nil, malformed(d.offset(), "an element that is no object")
	}
	value, err := d.decoder.ReadValue()
	if err != nil {
		return nil, d.fail(err, "an item of more than %d bytes")
	}
	d.largest = max(d.largest, int64(len(value)))
	if int64(len(value)) > d.max {
		return nil, d.fail(errOverLimit, "an item of more than %d bytes")
	}
	return value, nil
}

// whole returns the document from brace to brace, where it was kept to its end.
func (d *document) whole() []byte { return d.src.kept[d.begin:d.end:d.end] }

func (d *document) offset() int64 { return d.decoder.InputOffset() }

// boundBeside lets the decoder read what is still allowed outside the array.
func (d *document) boundBeside() { d.src.limit = d.begin + d.elements + d.max + slack }

func (d *document) checkBeside() error {
	if d.offset()-d.begin-d.elements > d.max {
		return d.beside(errOverLimit)
	}
	return nil
}

func (d *document) beside(err error) error {
	return d.fail(err, "more than %d bytes in a single object, or beside the items of a list")
}

// fail turns an error of the decoder into one of this package, or into the one that the body failed with.
func (d *document) fail(err error, overLimit string) error {
	if d.src.failure != nil {
		return d.src.failure
	}
	if errors.Is(err, errOverLimit) {
		return tooLarge(d.offset(), overLimit, d.max)
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return syntaxError(syntax)
	}
	return malformed(d.offset(), "the body ends too early")
}
