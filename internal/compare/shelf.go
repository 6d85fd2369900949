package compare

import (
	"sync"

	"github.com/klauspost/compress/s2"
)

const (
	// chunkBytes is how much a shelf grows by.
	chunkBytes = 1 << 20
	// shelfBytes is how much one comparison may keep.
	shelfBytes = 32 << 20
)

// place is where something stands in a shelf; the zero value is nowhere.
type place struct {
	chunk, from, to uint32 // chunks count from 1
	// upon says that it was packed upon the first form of its object.
	upon bool
}

// shelf keeps packed contents. What was put in stays where it is until the end.
type shelf struct {
	memory Memory

	mu     sync.Mutex
	chunks [][]byte
}

// put keeps a copy of what is packed; nowhere if there is no room.
func (s *shelf) put(packed []byte) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(packed) > chunkBytes || len(packed) == 0 {
		return place{}
	}
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last])+len(packed) > chunkBytes {
		if len(s.chunks) == shelfBytes/chunkBytes || !s.memory.TryAcquire(chunkBytes) {
			return place{}
		}
		s.chunks = append(s.chunks, make([]byte, 0, chunkBytes))
		last++
	}
	from := len(s.chunks[last])
	s.chunks[last] = append(s.chunks[last], packed...)
	return place{chunk: uint32(last) + 1, from: uint32(from), to: uint32(len(s.chunks[last]))} //nolint:gosec // all are small
}

// at returns what is kept there; nil for nowhere.
func (s *shelf) at(p place) []byte {
	if p.chunk == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chunks[p.chunk-1][p.from:p.to:p.to]
}

func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.Release(int64(len(s.chunks)) * chunkBytes)
	s.chunks = nil
}

// pack packs a content, if it can upon another one that it resembles: forms of one object mostly differ in little.
func pack(content, upon []byte) (packed []byte, used bool) {
	if len(upon) <= s2.MaxDictSize {
		if dict := s2.MakeDict(upon, nil); dict != nil {
			return dict.Encode(nil, content), true
		}
	}
	return s2.Encode(nil, content), false
}

// unpack is the way back. What was packed here cannot be broken.
func unpack(packed, upon []byte) []byte {
	var content []byte
	var err error
	if upon != nil {
		content, err = s2.MakeDict(upon, nil).Decode(nil, packed)
	} else {
		content, err = s2.Decode(nil, packed)
	}
	if err != nil {
		return nil
	}
	return content
}
