package fleet

import "sync"

// arenas keep the memory of batches that were released.
type arenas struct{ free sync.Pool }

// get returns memory for size bytes, or for a whole batch.
func (a *arenas) get(size int) []byte {
	if size > batchBytes {
		return make([]byte, 0, size)
	}
	if b, ok := a.free.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, batchBytes)
}

func (a *arenas) put(b []byte) {
	if cap(b) == batchBytes {
		a.free.Put(&b)
	}
}

// keepJSON copies an object into the batch.
func (t *reading) keepJSON(json []byte) []byte {
	b := t.batch
	if b.arena == nil {
		b.arena, b.arenas = t.newArena(len(json)), &t.fleet.arenas
	}
	start := len(b.arena)
	b.arena = append(b.arena, json...)
	return b.arena[start:len(b.arena):len(b.arena)]
}

// newArena is as large as a batch may become: of a single object, as large as that.
func (t *reading) newArena(first int) []byte {
	if t.query.Name != "" {
		return make([]byte, 0, first)
	}
	return t.fleet.arenas.get(first)
}

// Release lets the batch's memory be used again: nothing of its items may be looked at any more. Whoever is done with a batch
// calls it; one that is not released is collected.
func (b *Batch) Release() {
	if b.arenas != nil {
		b.arenas.put(b.arena)
	}
	b.Items, b.arena, b.arenas = nil, nil, nil
}
