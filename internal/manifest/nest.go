package manifest

import "math/bits"

// nest goes over the brackets of a piece that has an offset from s.origin, up to a stop. It returns where the innermost
// bracket around a byte is a brace, which brackets open, which of them close another kind than they should, and the stop.
func (s *scanner) nest(piece *block, brackets uint64, at uint32) (isObject, open, mismatch, stopAt uint64) {
	depth, kinds, found, shallow, stop := s.depth, s.kinds, s.found, s.shallow, s.stop
	if found >= maxBrackets-blockBytes {
		shallow = ^uint64(0)
	}
	kind := -(kinds & 1)
	isObject = kind
	for left := brackets; left != 0; {
		i := uint32(bits.TrailingZeros64(left)) % blockBytes //nolint:gosec // less than 64
		bit := left & -left
		left ^= bit
		c := uint64(piece[i])
		opens, object := -(c >> 1 & 1), c>>5&1
		mismatch |= bit &^ opens & -((kinds ^ object) & 1)
		open |= bit & opens
		closed := kinds >> 1
		kinds = closed ^ (closed^(kinds<<1|object))&opens
		s.brackets[found%maxBrackets] = at + i
		found += (depth - shallow - 1 + ^opens) >> 63
		depth -= opens<<1 + 1
		if depth-stop-1 >= blockBytes-1-stop { // at most stop, or at least 64
			if depth <= stop {
				stopAt = bit
				break
			}
			kinds = s.nestDeep(depth, kinds, opens, at+i)
		}
		isObject ^= (kind ^ -(kinds & 1)) & -(bit << 1)
		kind = -(kinds & 1)
	}
	s.depth, s.kinds, s.found = depth, kinds, found
	return isObject, open, mismatch, stopAt
}

// nestDeep returns kinds, at a depth of at least 64 that an opening bracket or a closing one has led to.
func (s *scanner) nestDeep(depth, kinds, opens uint64, at uint32) uint64 {
	if depth > maxDepth {
		s.setFault(s.origin+int64(at), "exceeded maximum nesting depth")
	}
	level := depth / 64 % uint64(len(s.saved))
	switch {
	case depth%64 != 0:
	case opens != 0:
		s.saved[level] = kinds
	default:
		return s.saved[level]
	}
	return kinds
}
