package broadcast

const wordBits = 64

// bitset is a set of small numbers. It grows with the largest.
type bitset []uint64

// put puts i into the set or takes it out, and reports whether it was in.
func (b *bitset) put(i int, in bool) (was bool) {
	word, bit := i/wordBits, uint64(1)<<(i%wordBits)
	if word >= len(*b) {
		if !in {
			return false
		}
		*b = append(*b, make([]uint64, word+1-len(*b))...)
	}
	was = (*b)[word]&bit != 0
	if was != in {
		(*b)[word] ^= bit
	}
	return was
}
