package manifest

import "sync"

// maxPooledBytes bounds a buffer that is kept for the next reader: one huge object must not pin its size forever.
const maxPooledBytes = 256 << 10

// Pool keeps the buffers of closed readers for new ones. Its zero value is ready, it must not be copied, and any number
// of goroutines may use it. Buffers that grew large are not kept.
type Pool struct{ free sync.Pool }

// buffers is all that a reader allocates that grows with what it reads.
type buffers struct {
	data    []byte // a part of the body
	out     []byte // the cells of a row
	cuts    []span
	scanner scanner
	members names // of the document
	names   names // of an object in it
	shelf   shelf
}

func (p *Pool) get() *buffers {
	if p != nil {
		if b, ok := p.free.Get().(*buffers); ok {
			return b
		}
	}
	return &buffers{data: make([]byte, bufferBytes+blockBytes)}
}

// put takes b back.
func (p *Pool) put(b *buffers) {
	const spanBytes = 16
	if p == nil || cap(b.data) > maxPooledBytes+blockBytes || cap(b.out) > maxPooledBytes || cap(b.cuts) > maxPooledBytes/spanBytes {
		return
	}
	b.out, b.cuts = b.out[:0], b.cuts[:0]
	b.members.reset()
	b.names.reset()
	p.free.Put(b)
}
