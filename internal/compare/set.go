package compare

import (
	"iter"
	"math/bits"
	"slices"
)

// set is a set of clusters by their index. It is a list while that is shorter, then a bit a cluster.
type set struct {
	words []uint32
	dense bool
	size  int32
}

// add puts a cluster in that is not there yet, and returns by how many bytes the set has grown. There are n clusters in all.
func (s *set) add(cluster, n int) int {
	before := cap(s.words)
	s.size++
	if !s.dense && len(s.words) == (n+31)/32 {
		s.widen(n)
	}
	if s.dense {
		s.words[cluster/32] |= 1 << (cluster % 32)
	} else {
		s.words = append(s.words, uint32(cluster)) //nolint:gosec // an index
	}
	return max(0, 4*(cap(s.words)-before))
}

func (s *set) widen(n int) {
	dense := make([]uint32, (n+31)/32)
	for _, cluster := range s.words {
		dense[cluster/32] |= 1 << (cluster % 32)
	}
	s.words, s.dense = dense, true
}

// all yields the clusters; in their order if the set is dense.
func (s *set) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s.words {
			if !s.dense {
				if !yield(int(word)) {
					return
				}
				continue
			}
			for ; word != 0; word &= word - 1 {
				if !yield(32*i + bits.TrailingZeros32(word)) {
					return
				}
			}
		}
	}
}

// sorted returns those clusters of the set that are among others, in their order.
func (s *set) sorted(among *bitset) []int {
	clusters := make([]int, 0, s.size)
	for cluster := range s.all() {
		if among.has(cluster) {
			clusters = append(clusters, cluster)
		}
	}
	slices.Sort(clusters)
	return clusters
}

// count returns how many clusters of the set are among others.
func (s *set) count(among *bitset) (n int) {
	for i, word := range s.words {
		switch {
		case s.dense:
			n += bits.OnesCount32(word & among.half(i))
		case among.has(int(word)):
			n++
		}
	}
	return n
}

// bitset is a set of small numbers.
type bitset []uint64

func (b *bitset) has(i int) bool { return i/64 < len(*b) && (*b)[i/64]&(1<<(i%64)) != 0 }

// half returns the i-th 32 bits.
func (b *bitset) half(i int) uint32 {
	if i/2 >= len(*b) {
		return 0
	}
	return uint32((*b)[i/2] >> (32 * (i % 2))) //nolint:gosec // the half that is wanted
}

func (b *bitset) count() (n int) {
	for _, word := range *b {
		n += bits.OnesCount64(word)
	}
	return n
}

func (b *bitset) add(i int) {
	if more := i/64 + 1 - len(*b); more > 0 {
		*b = append(*b, make([]uint64, more)...)
	}
	(*b)[i/64] |= 1 << (i % 64)
}
