package manifest

import (
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// maxPooledBytes bounds a buffer that is kept for the next reader: one huge object must not pin its size forever.
const maxPooledBytes = 256 << 10

// Pool keeps the buffers of closed readers for new ones. Its zero value is ready, it must not be copied, and any number
// of goroutines may use it. Buffers that grew large are not kept.
type Pool struct{ free sync.Pool }

// buffers is all that a reader allocates that grows with what it reads.
type buffers struct {
	decoder *jsontext.Decoder
	kept    []byte // the beginning of a document
	out     []byte // an item that something was cut out of, the cells of a row
	cuts    []span
}

func (p *Pool) get() *buffers {
	if p != nil {
		if b, ok := p.free.Get().(*buffers); ok {
			return b
		}
	}
	return &buffers{decoder: new(jsontext.Decoder)}
}

// put takes b back. The decoder does not tell the size of its buffers; largest is the longest value it has held.
func (p *Pool) put(b *buffers, largest int64) {
	if p == nil || largest > maxPooledBytes || cap(b.kept) > maxPooledBytes || cap(b.out) > maxPooledBytes {
		return
	}
	b.decoder.Reset(strings.NewReader("")) // forget the body
	b.kept, b.out, b.cuts = b.kept[:0], b.out[:0], b.cuts[:0]
	p.free.Put(b)
}
