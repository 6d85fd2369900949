package manifest

import (
	"errors"
	"io"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// slack is how far a value may be read beyond its bound: for the whitespace and the delimiter around it.
const slack = 4 << 10

// The depths inside a document, and inside its array.
const (
	inDocument = 1
	inArray    = 2
)

// document walks the members of the JSON object that a body is, and the elements of one array among them. It looks at
// bytes only after the scanner has been over them, up to a bracket: what stands before it is complete.
type document struct {
	src      source
	scanner  *scanner
	names    *names
	max      int64 // bound of an element, and of all that stands beside the elements
	limit    int64 // of what may be read
	begin    int64 // where the object begins
	end      int64 // where it ended
	pos      int64 // what comes next
	scanned  int64 // what has been scanned, up to a bracket
	array    int64 // where the array begins
	elements int64 // the bytes of the array
	keep     bool  // what has been read, to look at it again
}

func (d *document) init(body io.Reader, buf *buffers, limit int64) {
	d.src = source{body: body, buf: buf.data}
	d.scanner, d.names = &buf.scanner, &buf.members
	d.max, d.keep = limit, true
}

// release gives buf back to pool. The document cannot be used any more.
func (d *document) release(pool *Pool, buf *buffers) {
	buf.data = d.src.buf
	pool.put(buf)
	d.src.body, d.src.buf = nil, nil
	d.scanner, d.names = nil, nil
}

// rewind makes the document begin again. All of it so far must have been kept; it is not kept any more.
func (d *document) rewind() { d.keep = false }

// open reads the brace that the document begins with.
func (d *document) open() error {
	d.pos, d.begin, d.elements = 0, 0, 0
	d.limit = d.max + slack
	d.names.reset()
	d.scanner.reset()
	for {
		d.pos += int64(countWhite(d.src.from(d.pos)))
		if d.pos < d.src.received {
			break
		}
		switch err := d.src.more(d.needed(), d.limit); {
		case err == io.EOF: //nolint:errorlint // the source returns io.EOF itself; a failure of the body may wrap one
			return malformed(0, "the body is empty")
		case err != nil:
			return d.beside(err)
		}
	}
	d.begin, d.scanned = d.pos, d.pos
	d.scanner.stop = inArray
	d.scanner.remember(d.begin, inDocument+1)
	switch c := d.next(); c {
	case '{':
		d.pos++
		return d.advanceBeside()
	case '[', '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 't', 'f', 'n':
		return malformed(d.begin, "a JSON value that is no object")
	default:
		return malformed(d.begin, "invalid character %s, expecting '{'", quoteByte(c))
	}
}

// member reads the name of the next member. After the last one it makes sure that nothing follows the document and
// returns false.
func (d *document) member() (string, bool, error) {
	d.boundBeside()
	if err := d.token(); err != nil {
		return "", false, d.beside(err)
	}
	if d.next() == '}' {
		return "", false, d.close()
	}
	region := d.src.between(d.pos, d.scanned)
	end := skipString(region, 0)
	name := memberName(text(region[:end]))
	if !d.names.add([]byte(name)) {
		return "", false, malformed(d.pos, "%v %q", errDuplicate, safetext.Truncate(name, 256))
	}
	end = skipSpace(region, end)
	end = skipSpace(region, end+1) // the colon
	d.pos += int64(end)
	return name, true, d.checkBeside()
}

// memberName returns a name as a string, without a new one for those that every list has.
func memberName(name []byte) string {
	switch string(name) {
	case "kind":
		return "kind"
	case "apiVersion":
		return "apiVersion"
	case "metadata":
		return "metadata"
	case "items":
		return "items"
	case "rows":
		return "rows"
	case "columnDefinitions":
		return "columnDefinitions"
	}
	return string(name)
}

// kind returns the first byte of the value of a member.
func (d *document) kind() byte { return d.next() }

// value reads the value of a member. It is valid until the next call.
func (d *document) value() ([]byte, error) {
	d.boundBeside()
	end := d.pos
	switch d.next() {
	case '{', '[': // the bracket that the scanner stopped at
		d.scanner.stop = inDocument
		err := d.advance()
		d.scanner.stop = inArray
		if err != nil {
			return nil, d.beside(err)
		}
		end = d.scanned
	default:
		end += int64(skip(d.src.between(d.pos, d.scanned), 0))
	}
	value := d.src.between(d.pos, end)
	d.pos = end
	return value, d.checkBeside()
}

// enter reads the bracket of the array whose elements are to be read one by one.
func (d *document) enter() {
	d.array = d.pos
	d.pos++
	d.keep = false
}

// element reads the next object of the array, valid until the next call, or its closing bracket and returns nothing.
func (d *document) element() (scanned, error) {
	d.limit = d.pos + d.max + slack
	d.scanner.remember(d.pos, inArray+2)
	if err := d.token(); err != nil {
		return scanned{}, d.fail(err, "an item of more than %d bytes")
	}
	switch d.next() {
	case ']':
		d.pos++
		d.elements = d.pos - d.array
		return scanned{}, nil
	case '{':
	default:
		return scanned{}, malformed(d.pos, "an element that is no object")
	}
	start := d.pos
	d.pos = d.scanned
	if d.pos-start > d.max {
		return scanned{}, d.fail(errOverLimit, "an item of more than %d bytes")
	}
	return d.known(start, d.pos), nil
}

// token goes to what comes next, past the comma before it.
func (d *document) token() error {
	for {
		region := d.src.between(d.pos, d.scanned)
		at := skipSpace(region, 0)
		if at < len(region) && region[at] == ',' {
			at = skipSpace(region, at+1)
		}
		d.pos += int64(at)
		if at < len(region) {
			return nil
		}
		if err := d.advance(); err != nil {
			return err
		}
	}
}

// close reads the brace that the document ends with and what comes after it, up to the end of the body.
func (d *document) close() error {
	d.pos++
	d.end = d.pos
	if err := d.checkBeside(); err != nil {
		return err
	}
	d.limit = d.end + slack
	for at := d.end; ; {
		at += int64(countWhite(d.src.from(at)))
		if at < d.src.received {
			return malformed(at, "more data after the end of the document")
		}
		d.pos = at
		switch err := d.src.more(d.needed(), d.limit); {
		case err == io.EOF: //nolint:errorlint // as above
			return nil
		case err != nil:
			return d.beside(err)
		}
	}
}

// countWhite returns with how much white space text begins.
func countWhite(text []byte) int {
	for i, c := range text {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return i
		}
	}
	return len(text)
}

// advance scans up to the next stop.
func (d *document) advance() error {
	for {
		if d.scanned < d.src.received {
			from, to := int(d.scanned-d.src.offset), int(d.src.received-d.src.offset)
			end, stopped := d.scanner.scan(d.src.buf, from, to, d.src.offset)
			d.scanned = d.src.offset + int64(end)
			if fault := d.scanner.fault; fault.text != "" {
				return malformed(fault.at, "%s", fault.text)
			}
			if stopped {
				return nil
			}
		}
		if err := d.src.more(d.needed(), d.limit); err != nil {
			return err
		}
	}
}

func (d *document) advanceBeside() error {
	if err := d.advance(); err != nil {
		return d.beside(err)
	}
	return nil
}

// needed is the first offset that is still of interest.
func (d *document) needed() int64 {
	if d.keep {
		return 0
	}
	return d.pos
}

// next returns the byte that comes next.
func (d *document) next() byte { return d.src.buf[d.pos-d.src.offset] }

// known returns what stands between two offsets, with the brackets that the scanner remembers.
func (d *document) known(from, to int64) scanned {
	return scanned{
		json:     d.src.between(from, to),
		brackets: d.scanner.brackets[:d.scanner.found],
		shift:    int(from - d.scanner.origin),
	}
}

// whole returns the document from brace to brace, where it was kept to its end.
func (d *document) whole() scanned { return d.known(d.begin, d.end) }

// boundBeside bounds what may be read outside the array.
func (d *document) boundBeside() { d.limit = d.begin + d.elements + d.max + slack }

func (d *document) checkBeside() error {
	if d.pos-d.begin-d.elements > d.max {
		return d.beside(errOverLimit)
	}
	return nil
}

func (d *document) beside(err error) error {
	return d.fail(err, "more than %d bytes in a single object, or beside the items of a list")
}

// fail turns an error of the source into one of this package, or into the one that the body failed with.
func (d *document) fail(err error, overLimit string) error {
	switch {
	case errors.Is(err, ErrMalformed):
		return err
	case errors.Is(err, errOverLimit):
		return tooLarge(d.pos, overLimit, d.max)
	case d.src.failure != nil:
		return d.src.failure
	}
	return malformed(d.src.received, "the body ends too early")
}
