package shape

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// perPart is what an element of a list, or a member of a map, counts beside what is in it: as many bytes are compared or
// copied in the time that it takes.
const perPart = 64

// weight is how much a value holds, in bytes and parts, counted up to a bound. It is at least 1.
func weight(value ref.Val, bound int) int {
	sum := 1
	switch v := value.(type) {
	case types.String:
		return max(len(v), 1)
	case types.Bytes:
		return max(len(v), 1)
	case *types.Optional:
		if v.HasValue() {
			sum += weight(v.GetValue(), bound)
		}
	case traits.Lister:
		for it := v.Iterator(); sum < bound && it.HasNext() == types.True; {
			sum += perPart + weight(it.Next(), bound-sum)
		}
	case traits.Mapper:
		for it := v.Iterator(); sum < bound && it.HasNext() == types.True; {
			key := it.Next()
			sum += perPart + weight(key, bound-sum) + weight(v.Get(key), bound-sum)
		}
	}
	return sum
}

// extent is how large a value is itself, without what is in its parts.
func extent(value ref.Val) int {
	switch v := value.(type) {
	case traits.MutableLister, traits.MutableMapper: // what grows in a loop counted as it grew
		return 1
	case types.String:
		return len(v)
	case types.Bytes:
		return len(v)
	case traits.Lister:
		return perPart * size(v)
	case traits.Mapper:
		return perPart * size(v)
	}
	return 1
}
