package broadcast

// NewBounded returns a hub that remembers that many removed keys.
func NewBounded[T any](tombstones int) *Hub[T] {
	h := New[T]()
	h.maxTombstones = tombstones
	return h
}

// MaxTombstones is how many removed keys a hub remembers.
const MaxTombstones = maxTombstones

// Waiting is how many subscribers wait for news.
func (h *Hub[T]) Waiting() int {
	h.waiting.mu.Lock()
	defer h.waiting.mu.Unlock()
	return len(h.waiting.list)
}
