package manifest

import (
	"math/bits"
)

const (
	// maxDepth is how deep objects and arrays may stand in each other.
	maxDepth = 10_000
	// maxBrackets is how many brackets of an object are remembered. Further ones have to be looked for.
	maxBrackets = 2048
)

// none is an offset that is not there.
const none = -1

// scanner checks that a document is JSON by RFC 7493, but for names that come twice, 64 bytes at a time: masks say where
// the brackets, the strings and all else stand, and the rules of the grammar are about neighbours in these masks. Only
// brackets, numbers and literals are looked at one by one.
//
// It stops behind brackets near the document's root, and goes on from any byte: all that it knows of the bytes before is
// in its fields. Offsets are those of the document.
type scanner struct {
	// stop is the depth at or below which a bracket makes the scanner stop.
	stop int
	// depth is how many objects and arrays are open. Of the last 64 kinds tells which are objects, the innermost one
	// lowest; saved has those of every 64th level, for when it is come back to.
	depth int
	kinds uint64
	saved [maxDepth/kindBits + 1]uint64

	inString    uint64 // all bits, or none
	isEscaped   uint64 // the next byte follows a backslash
	inName      uint64 // the string is a name
	inScalar    uint64 // in a number or a literal
	afterValue  uint64 // what comes next follows a value,
	afterName   uint64 // a name,
	afterOpen   uint64 // an opening bracket,
	afterComing uint64 // or anything that something must or may follow: an opening bracket or a comma
	scalar      int64  // where the number or literal began
	escape      int64  // a \u that was not complete yet, or none
	surrogate   int64  // where the second half of a surrogate pair must stand, or none
	rune        int64  // a rune that was not complete yet, or none

	// brackets are the offsets from origin of the brackets between which at most shallow others are open.
	brackets [maxBrackets]uint32
	found    uint
	origin   int64
	shallow  int

	masks masks
	fault fault
}

// reset makes the scanner begin a document.
func (s *scanner) reset() {
	s.depth, s.kinds, s.saved[0] = 0, 0, 0
	s.inString, s.isEscaped, s.inName, s.inScalar = 0, 0, 0, 0
	s.afterValue, s.afterName, s.afterOpen, s.afterComing = 0, 0, 0, 0
	s.scalar, s.escape, s.surrogate, s.rune = none, none, none, none
	s.fault = fault{}
}

// remember forgets the brackets so far and goes on with those of an object that begins at or after an offset.
func (s *scanner) remember(origin int64, shallow int) {
	s.found, s.origin, s.shallow = 0, origin, shallow
}

// scan goes over data[from:to], of which data[0] has an offset in the document, up to the first stop. It returns where
// it stands then, and whether that is a stop or a fault; where s.fault is set, nothing else counts. data must go on for a
// block after to.
//
// It is one long function because all of it runs for each block, on values that had better stay in registers.
func (s *scanner) scan(data []byte, from, to int, offset int64) (int, bool) {
	for from < to {
		n := min(to-from, blockBytes)
		piece := (*block)(data[from:])
		m := &s.masks
		classify(piece, m)
		if n == blockBytes && s.inString != 0 && m.quote|m.backslash|m.rare|s.isEscaped == 0 && s.rune == none && s.escape == none {
			from += n // nothing but a piece of a long string
			continue
		}
		within := ^uint64(0) >> (blockBytes - uint(n))

		quote, str, escaped := m.quote, m.inside, uint64(0)
		if backslash := m.backslash & within; backslash|s.isEscaped|^within != 0 {
			escaped = s.escapes(backslash, n)
			quote &= within &^ escaped
			str = prefixXor(quote)
		}
		str ^= s.inString // each string but for its closing quote
		outside := within &^ (str | quote)
		s.inString = -(str >> 63)

		open, shut := m.open&outside, m.shut&outside
		isObject, isMismatch, stopAt := -(s.kinds & 1), false, uint64(0)
		if open|shut != 0 {
			before, up, down := s.depth, bits.OnesCount64(open), bits.OnesCount64(shut)
			if before-down > s.shallow {
				s.depth = before + up - down
			} else if stopAt = s.approach(open, shut, uint32(offset+int64(from)-s.origin)); stopAt != 0 { //nolint:gosec // an object is smaller
				n = bits.TrailingZeros64(stopAt) + 1
				within = stopAt<<1 - 1
				s.inString, s.isEscaped = 0, 0
				quote, outside, open, shut = quote&within, outside&within, open&within, shut&within
			}
			if before+up < kindBits {
				isObject, isMismatch = s.nest(piece, open|shut)
			} else {
				isObject, isMismatch = s.nestDeep(piece, open|shut, before, offset+int64(from))
			}
		}
		str &= within

		comma, colon, white := m.comma&outside, m.colon&outside, m.white&outside
		opening, closing := quote&str, quote&^str
		other := outside &^ (open | shut | comma | colon | white)

		// Where what follows each kind of thing stands.
		otherBefore := other<<1 | s.inScalar
		scalarStart, scalarEnd := other&^otherBefore, otherBefore&^other&within
		coming := open | comma
		afterOpen, afterComing := open<<1|s.afterOpen, coming<<1|s.afterComing
		s.afterOpen, s.afterComing = open>>63, coming>>63
		if n < blockBytes {
			last := uint(n-1) % 64
			s.afterOpen, s.afterComing = open>>last&1, coming>>last&1
		}
		if white != 0 {
			afterOpen, s.afterOpen = skipWhite(afterOpen, white, s.afterOpen, n)
			afterComing, s.afterComing = skipWhite(afterComing, white, s.afterComing, n)
		}
		nameExpected := afterComing & isObject
		// An addition carries through a string from its opening quote, where that is a name's, to its closing one.
		sum, carry := bits.Add64(str, opening&nameExpected|s.inName, 0)
		if n < blockBytes {
			carry = sum >> uint(n) & 1
		}
		s.inName = carry
		nameEnd := sum & closing
		valueEnd := closing&^nameEnd | shut
		afterName := nameEnd<<1 | s.afterName
		afterValue := valueEnd<<1 | s.afterValue | scalarEnd
		s.afterName, s.afterValue, s.inScalar = nameEnd>>63, valueEnd>>63, other>>63
		if n < blockBytes {
			last := uint(n-1) % 64
			s.afterName, s.afterValue, s.inScalar = nameEnd>>last&1, valueEnd>>last&1, other>>last&1
		}
		if white != 0 {
			afterName, s.afterName = skipWhite(afterName, white, s.afterName, n)
			afterValue, s.afterValue = skipWhite(afterValue, white, s.afterValue, n)
		}

		wrong := colon ^ afterName&within |
			comma&^afterValue |
			shut&^(afterValue|afterOpen) |
			opening&afterValue |
			(scalarStart|open)&(afterValue|nameExpected)
		if wrong != 0 {
			i := bits.TrailingZeros64(wrong)
			at := func(m uint64) bool { return m>>(i%blockBytes)&1 != 0 }
			s.fault = place{at(afterName), at(afterValue), at(nameExpected)}.
				fault(offset+int64(from+i), piece[i%blockBytes])
		}
		if escaped&str != 0 || s.escape != none {
			s.checkEscapes(data, from, to, offset, escaped&str)
		}
		if m.rare&str != 0 || s.rune != none {
			s.checkRunes(data, from, from+n, offset)
			s.checkControls(piece, m.rare&str, offset+int64(from))
		}
		if scalarStart|scalarEnd != 0 {
			s.checkScalars(data, from, offset, scalarStart, scalarEnd)
		}
		if isMismatch {
			s.setFault(offset+int64(from), "a bracket or brace closes the other kind")
		}
		if stopAt != 0 && (s.escape != none || s.surrogate != none) {
			s.setFault(max(s.escape, s.surrogate), "invalid escape sequence in a string")
		}
		from += n
		if stopAt != 0 || s.fault.text != "" {
			return from, true
		}
	}
	return from, false
}

// skipWhite moves the bits that stand in white space behind it. carry is the one that belongs to the next block so far.
func skipWhite(m, white, carry uint64, n int) (uint64, uint64) {
	sum, over := bits.Add64(m&white, white, 0)
	sum &^= white
	return m&^white | sum, carry | over | sum>>uint(n)&1
}
