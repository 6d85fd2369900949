package manifest

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// What is in this file walks JSON that has been scanned. It finds where values begin and end, and cannot fail.

const (
	every   = 0x0101010101010101 // a byte, eight times
	topBits = 0x80 * every
)

// absent is the index of a value that is not there.
const absent = -1

// scanned is JSON that the scanner has been over.
type scanned struct {
	json []byte
	// brackets are the offsets of some of its brackets, shifted by a number: all of those near its root, in the order of
	// the JSON, unless there are too many.
	brackets []uint32
	shift    int
}

// walker goes over the members of an object or the elements of an array.
type walker struct {
	scanned
	pos int
	// Of the member that it stands at:
	name  []byte // without quotes and escapes
	start int    // of its name
	value int    // start of its value
	end   int    // of its value
}

// walk begins at s.json[at], which is an opening brace or bracket.
func (s *scanned) walk(at int) walker { return walker{scanned: *s, pos: at + 1} }

// member goes to the next member of an object, if there is one.
func (w *walker) member() bool {
	if !w.more() {
		return false
	}
	w.start = w.pos
	end, isPlain := stringEnd(w.json, w.pos)
	if w.name = w.json[w.pos+1 : end-1]; !isPlain {
		w.name = text(w.json[w.pos:end])
	}
	w.value = skipSpace(w.json, skipSpace(w.json, end)+1)
	w.end = w.skip(w.value)
	w.pos = w.end
	return true
}

// element returns the bounds of the next element of an array.
func (w *walker) element() (start, end int, ok bool) {
	if !w.more() {
		return 0, 0, false
	}
	start = w.pos
	w.pos = w.skip(start)
	return start, w.pos, true
}

// more goes to the beginning of what comes next, unless it is the closing brace or bracket.
func (w *walker) more() bool {
	w.pos = skipSpace(w.json, w.pos)
	if w.json[w.pos] == ',' {
		w.pos = skipSpace(w.json, w.pos+1)
	}
	return w.json[w.pos] != '}' && w.json[w.pos] != ']'
}

// skip returns the end of the value at an index. It looks its closing bracket up if that is known.
func (w *walker) skip(at int) int {
	if c := w.json[at]; c != '{' && c != '[' {
		return skip(w.json, at)
	}
	key := at + w.shift
	for len(w.brackets) > 0 && int(w.brackets[0]) < key {
		w.brackets = w.brackets[1:]
	}
	if len(w.brackets) == 0 || int(w.brackets[0]) != key {
		return skipNested(w.json, at)
	}
	depth := 0
	for i, b := range w.brackets {
		if c := w.json[int(b)-w.shift]; c == '{' || c == '[' {
			depth++
			continue
		}
		depth--
		if depth == 0 {
			w.brackets = w.brackets[i+1:]
			return int(b) - w.shift + 1
		}
	}
	w.brackets = nil
	return skipNested(w.json, at)
}

// skip returns the end of the value that begins at json[at].
func skip(json []byte, at int) int {
	switch json[at] {
	case '"':
		return skipString(json, at)
	case '{', '[':
		return skipNested(json, at)
	}
	for at < len(json) {
		switch json[at] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return at
		}
		at++
	}
	return at
}

func skipNested(json []byte, at int) int {
	for depth := 0; ; {
		switch json[at] {
		case '"':
			at = skipString(json, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
		}
		at++
	}
}

// skipString returns the end of the string whose opening quote is json[at].
func skipString(json []byte, at int) int {
	end, _ := stringEnd(json, at)
	return end
}

// stringEnd is skipString, and tells whether the string is without escapes.
func stringEnd(json []byte, at int) (int, bool) {
	at++
	for at+8 <= len(json) {
		w := binary.LittleEndian.Uint64(json[at : at+8])
		quote, backslash := w^'"'*every, w^'\\'*every
		// The lowest top bit stands in the first byte that is one of both.
		found := ((quote-every)&^quote | (backslash-every)&^backslash) & topBits
		if found != 0 {
			at += bits.TrailingZeros64(found) / 8
			break
		}
		at += 8
	}
	for isPlain := true; ; at++ {
		switch json[at] {
		case '"':
			return at + 1, isPlain
		case '\\':
			isPlain = false
			at++
		}
	}
}

// skipSpace returns the index of the first byte from json[at] on that is no white space.
func skipSpace(json []byte, at int) int {
	for at < len(json) && json[at] <= ' ' {
		at++
	}
	return at
}

// text returns what a string says. It is part of the string itself unless that has escapes.
func text(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	unquoted, _ := jsontext.AppendUnquote(nil, quoted) // fails for invalid strings only
	return unquoted
}
