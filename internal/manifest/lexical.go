package manifest

import (
	"math/bits"
	"unicode/utf8"
)

// What is in this file looks at what the masks cannot tell: escape sequences, runes, numbers and literals. A rune or an
// escape sequence may be cut off by the end of the data. It is then looked at again when there is more, and at the
// latest before a stop: what is delivered has been checked.

// oddBits are the bits with an odd index.
const oddBits = 0xaaaaaaaaaaaaaaaa

// escapes returns which of n bytes follow a backslash that is none itself.
func (s *scanner) escapes(backslash uint64, n int) uint64 {
	// A run of backslashes escapes each second byte. A subtraction carries through a run and tells by the parity of the
	// bit where it ends whether what follows is escaped.
	before := s.isEscaped
	starts := backslash &^ before
	ends := (starts<<1 | oddBits) - starts ^ oddBits
	s.isEscaped = ends & backslash >> uint(n-1) & 1
	return ends ^ (backslash | before)
}

// checkEscapes checks what follows backslashes in strings.
func (s *scanner) checkEscapes(data []byte, from, to int, offset int64, escaped uint64) {
	if s.escape != none && !s.checkUnicode(data, to, offset, s.escape) {
		return
	}
	for ; escaped != 0; escaped &= escaped - 1 {
		at := from + bits.TrailingZeros64(escaped)
		start := offset + int64(at) - 1
		if s.surrogate != none && (s.surrogate != start || data[at] != 'u') {
			s.setFault(start, "invalid escape sequence in a string")
			return
		}
		switch data[at] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			if !s.checkUnicode(data, to, offset, start) {
				return
			}
		default:
			s.setFault(start, "invalid escape sequence in a string")
			return
		}
	}
}

// checkUnicode checks the \u at an offset. It returns false where it is wrong or not complete.
func (s *scanner) checkUnicode(data []byte, to int, offset, at int64) bool {
	s.escape = at
	i := int(at - offset)
	if i+6 > to {
		return false
	}
	unit := uint(0)
	for _, c := range data[i+2 : i+6] {
		digit, ok := hexDigit(c)
		if !ok {
			s.setFault(at, "invalid escape sequence in a string")
			return false
		}
		unit = unit<<4 | digit
	}
	isFirst, isSecond := unit>>10 == 0xd800>>10, unit>>10 == 0xdc00>>10
	if isSecond != (s.surrogate == at) {
		s.setFault(at, "invalid escape sequence in a string: half a surrogate pair")
		return false
	}
	s.escape, s.surrogate = none, none
	if isFirst {
		s.surrogate = at + 6
	}
	return true
}

func hexDigit(c byte) (uint, bool) {
	switch {
	case '0' <= c && c <= '9':
		return uint(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return uint(c|0x20-'a') + 10, true
	}
	return 0, false
}

// checkRunes checks that data[from:to] is UTF-8.
func (s *scanner) checkRunes(data []byte, from, to int, offset int64) {
	if s.rune != none {
		from = int(s.rune - offset)
		s.rune = none
	}
	for i := to - 1; i >= max(from, to-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(data[i]) {
			if !utf8.FullRune(data[i:to]) {
				s.rune = offset + int64(i)
				to = i
			}
			break
		}
	}
	if !utf8.Valid(data[from:to]) {
		s.setFault(offset+int64(from), "invalid UTF-8")
	}
}

// checkControls checks that none of some bytes of a piece is a control character.
func (s *scanner) checkControls(piece *block, some uint64, at int64) {
	for ; some != 0; some &= some - 1 {
		i := bits.TrailingZeros64(some)
		if c := piece[i]; c < ' ' {
			s.setFault(at+int64(i), "invalid character "+quoteByte(c)+" in a string")
			return
		}
	}
}

// checkScalars checks the numbers and literals that end in a block, and remembers one that does not.
func (s *scanner) checkScalars(data []byte, from int, offset int64, starts, ends uint64) {
	begin := none
	if s.scalar != none {
		begin = int(s.scalar - offset)
		s.scalar = none
	}
	for ; ends != 0; ends &= ends - 1 {
		if begin == none {
			begin = from + bits.TrailingZeros64(starts)
			starts &= starts - 1
		}
		end := from + bits.TrailingZeros64(ends)
		if !isScalar(data[begin:end]) {
			s.setFault(offset+int64(begin), "invalid number or literal that begins with "+quoteByte(data[begin]))
			return
		}
		begin = none
	}
	if starts != 0 {
		s.scalar = offset + int64(from+bits.TrailingZeros64(starts))
	} else if begin != none {
		s.scalar = offset + int64(begin)
	}
}

// isScalar tells whether text is a number or a literal.
func isScalar(text []byte) bool {
	switch text[0] {
	case 't':
		return string(text) == "true"
	case 'f':
		return string(text) == "false"
	case 'n':
		return string(text) == "null"
	case '-':
		text = text[1:]
	}
	rest := skipDigits(text)
	if len(rest) == len(text) || text[0] == '0' && len(text)-len(rest) > 1 {
		return false
	}
	if len(rest) > 0 && rest[0] == '.' {
		fraction := rest[1:]
		rest = skipDigits(fraction)
		if len(rest) == len(fraction) {
			return false
		}
	}
	if len(rest) > 0 && rest[0]|0x20 == 'e' {
		exponent := rest[1:]
		if len(exponent) > 0 && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		rest = skipDigits(exponent)
		if len(rest) == len(exponent) {
			return false
		}
	}
	return len(rest) == 0
}

func skipDigits(text []byte) []byte {
	for i, c := range text {
		if c-'0' > 9 {
			return text[i:]
		}
	}
	return nil
}
