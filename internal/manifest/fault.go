package manifest

import (
	"strconv"
	"unicode/utf8"
)

// fault is why a document is no JSON, and where. Of the document it quotes one character, never a value: that may be a
// Secret's.
type fault struct {
	at   int64
	text string // empty where there is no fault
}

// setFault notes a fault unless there is one already.
func (s *scanner) setFault(at int64, text string) {
	if s.fault.text == "" {
		s.fault = fault{at, text}
	}
}

// place is what is known of where a byte stands that must not stand there.
type place struct{ afterName, afterValue, nameExpected bool }

func (p place) fault(at int64, c byte) fault {
	what := "invalid character " + quoteByte(c)
	switch {
	case p.afterName:
		return fault{at, what + " after a member name, expecting ':'"}
	case p.afterValue:
		return fault{at, what + " after a value, expecting ',' or a closing bracket"}
	case p.nameExpected:
		return fault{at, what + ", expecting a member name"}
	}
	return fault{at, what + ", expecting a value"}
}

func quoteByte(c byte) string {
	if c >= utf8.RuneSelf {
		return `'\x` + strconv.FormatUint(uint64(c), 16) + "'"
	}
	return strconv.QuoteRune(rune(c))
}
