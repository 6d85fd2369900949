package manifest

import "math/bits"

// kindBits is how many levels of nesting scanner.kinds has room for.
const kindBits = 64

// approach goes over the brackets of a block that has an offset from s.origin, as far as a stop, and remembers those near
// the root. It returns the stop, or 0.
func (s *scanner) approach(open, shut uint64, at uint32) uint64 {
	depth, shallow, stop, found := s.depth, s.shallow, s.stop, s.found
	if found >= maxBrackets-blockBytes {
		shallow = none
	}
	for left := open | shut; left != 0; left &= left - 1 {
		bit := left & -left
		opens, isNear := 0, uint(0)
		if open&bit != 0 {
			opens = 1
		}
		outer := depth - 1 + opens // the depth at the outer side of the bracket
		depth = outer + opens
		s.brackets[found%maxBrackets] = at + uint32(bits.TrailingZeros64(left)) //nolint:gosec // at most 64
		if outer <= shallow {
			isNear = 1
		}
		found += isNear
		if depth <= stop {
			s.depth, s.found = depth, found
			return bit
		}
	}
	s.depth, s.found = depth, found
	return 0
}

// nest goes over the brackets of a piece. It returns which bytes have a brace as the innermost bracket around them, and
// whether a bracket closes another kind than the one that is open.
func (s *scanner) nest(piece *block, brackets uint64) (isObject uint64, isMismatch bool) {
	kinds := s.kinds
	isObject = -(kinds & 1)
	mismatch := uint64(0)
	for brackets != 0 {
		c := uint64(piece[uint(bits.TrailingZeros64(brackets))%blockBytes])
		beyond := brackets ^ (brackets - 1) // the bits up to this bracket
		brackets &= brackets - 1
		opens, object := -(c >> 1 & 1), c>>5&1
		mismatch |= (kinds ^ object) &^ opens
		outer := kinds >> 1
		after := outer ^ (outer^(kinds<<1|object))&opens
		isObject ^= -((kinds ^ after) & 1) &^ beyond
		kinds = after
	}
	s.kinds = kinds
	return isObject, mismatch&1 != 0
}

// nestDeep is nest for pieces that begin at a depth and may come to one that s.kinds has no room for. Whenever a multiple
// of its size is reached it is saved for the way back.
func (s *scanner) nestDeep(piece *block, brackets uint64, depth int, at int64) (isObject uint64, isMismatch bool) {
	isObject = -(s.kinds & 1)
	for ; brackets != 0; brackets &= brackets - 1 {
		_, mismatch := s.nest(piece, brackets&-brackets)
		isMismatch = isMismatch || mismatch
		i := bits.TrailingZeros64(brackets) % blockBytes
		opens := piece[i] == '{' || piece[i] == '['
		if depth--; opens {
			depth += 2
		}
		switch {
		case depth > maxDepth:
			s.setFault(at+int64(i), "exceeded maximum nesting depth")
			return isObject, isMismatch
		case depth%kindBits == 0 && opens:
			s.saved[depth/kindBits] = s.kinds
		case depth%kindBits == 0:
			s.kinds = s.saved[depth/kindBits]
		}
		beyond := brackets ^ (brackets - 1)
		isObject = isObject&beyond | -(s.kinds&1)&^beyond
	}
	return isObject, isMismatch
}
