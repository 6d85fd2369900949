package manifest

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// What is in this file walks JSON that has been validated. It finds where values begin and end, and cannot fail.

// absent is the index of a value that is not there.
const absent = -1

// member is where one member of an object stands.
type member struct {
	name  []byte // as it stands, in quotes
	start int    // of its name
	value int    // start of its value
	end   int    // of its value
}

// is compares a member's name, which may be written with escapes, with a plain one.
func (m member) is(name string) bool { return string(text(m.name)) == name }

// walker goes over the members of an object or the elements of an array.
type walker struct {
	json []byte
	pos  int
}

// walk begins at json[at], which is an opening brace or bracket.
func walk(json []byte, at int) walker { return walker{json, at + 1} }

// member returns the next member of an object.
func (w *walker) member() (member, bool) {
	if !w.more() {
		return member{}, false
	}
	m := member{start: w.pos}
	nameEnd := skipString(w.json, w.pos)
	m.name = w.json[m.start:nameEnd]
	m.value = skipSpace(w.json, skipSpace(w.json, nameEnd)+1)
	m.end = skip(w.json, m.value)
	w.pos = m.end
	return m, true
}

// element returns the bounds of the next element of an array.
func (w *walker) element() (start, end int, ok bool) {
	if !w.more() {
		return 0, 0, false
	}
	start = w.pos
	w.pos = skip(w.json, start)
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
	for at++; ; at++ {
		switch json[at] {
		case '"':
			return at + 1
		case '\\':
			at++
		}
	}
}

func skipSpace(json []byte, at int) int {
	for {
		switch json[at] {
		case ' ', '\t', '\r', '\n':
			at++
		default:
			return at
		}
	}
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
