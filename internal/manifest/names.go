package manifest

import (
	"bytes"
	"encoding/binary"
)

// fewNames is how many names are compared one by one.
const fewNames = 32

// names finds out whether a name comes twice in an object.
type names struct {
	count int
	keys  [fewNames]uint64
	few   [fewNames][]byte
	many  map[string]struct{}
}

// reset forgets all names.
func (n *names) reset() {
	n.count, n.many = 0, nil
}

// add returns false for a name that is there already. It keeps the name itself.
func (n *names) add(name []byte) bool {
	key := nameKey(name)
	for i, k := range n.keys[:n.count] {
		if k == key && bytes.Equal(n.few[i], name) {
			return false
		}
	}
	if n.count < fewNames {
		n.keys[n.count], n.few[n.count] = key, name
		n.count++
		return true
	}
	if _, again := n.many[string(name)]; again {
		return false
	}
	if n.many == nil {
		n.many = make(map[string]struct{})
	}
	n.many[string(name)] = struct{}{}
	return true
}

// nameKey returns a number that is the same for equal names and mostly another one for others.
func nameKey(name []byte) uint64 {
	length := uint64(len(name))
	switch {
	case length >= 8:
		first, last := binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[length-8:])
		return (first+length)*0x9e3779b97f4a7c15 ^ last
	case length >= 4:
		first, last := binary.LittleEndian.Uint32(name), binary.LittleEndian.Uint32(name[length-4:])
		return uint64(first)<<32 | uint64(last) ^ length
	case length > 0:
		return uint64(name[0])<<24 | uint64(name[length/2])<<16 | uint64(name[length-1])<<8 | length
	}
	return 0
}
