package fleet

import (
	"context"

	"golang.org/x/sync/semaphore"
)

const (
	// maxReadBytes bounds what all reads together hold in memory, what waits for a caller included. A read that waits for
	// its API server holds nothing, but for a page that is asked for ahead: it is, only while there is enough for all.
	maxReadBytes = 256 << 20
	// maxCallBytes is the share of that which one call can have: a caller who does not read starves no other.
	maxCallBytes = maxReadBytes / 4
	// readWeight is what the reading of one page counts for: an object being read, and a batch. Where a batch is one large
	// object and the next one as large, it is twice that for a moment.
	readWeight = maxItemBytes + batchBytes
)

// hold is the memory for one page and for what was read of it, until the caller has taken it. It is for one goroutine at
// a time.
type hold struct {
	call, fleet *semaphore.Weighted
	held        bool
}

// tryAcquire reserves the memory if there is some at once.
func (h *hold) tryAcquire() bool {
	if !h.call.TryAcquire(readWeight) {
		return false
	}
	if !h.fleet.TryAcquire(readWeight) {
		h.call.Release(readWeight)
		return false
	}
	h.held = true
	return true
}

// acquire waits for the memory: for the call's first, so that one call's pages do not wait in front of another's.
func (h *hold) acquire(ctx context.Context) error {
	if err := h.call.Acquire(ctx, readWeight); err != nil {
		return err
	}
	if err := h.fleet.Acquire(ctx, readWeight); err != nil {
		h.call.Release(readWeight)
		return err
	}
	h.held = true
	return nil
}

// another returns a hold of the same call that holds nothing yet.
func (h *hold) another() *hold { return &hold{call: h.call, fleet: h.fleet} }

// takeOver takes what the other one holds in place of its own.
func (h *hold) takeOver(other *hold) {
	h.release()
	h.held, other.held = other.held, false
}

// release gives the memory back, if some is held.
func (h *hold) release() {
	if !h.held {
		return
	}
	h.held = false
	h.fleet.Release(readWeight)
	h.call.Release(readWeight)
}
