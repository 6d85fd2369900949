package cluster

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// handshakeTurns bounds the TLS handshakes that use the processor at one time, so that a fleet that comes back does not
// take every core. A handshake that waits for its server gives its turn back meanwhile: servers that accept connections
// and then say nothing cannot use up the turns of others.
type handshakeTurns struct {
	turns *semaphore.Weighted
}

func (h *handshakeTurns) take(ctx context.Context, t *trace) error {
	if h.turns.TryAcquire(1) {
		return nil
	}
	return t.wait(func() error { return h.turns.Acquire(ctx, 1) })
}

// handshakeTurn is the turn of one handshake.
type handshakeTurn struct {
	turns *handshakeTurns
	ctx   context.Context //nolint:containedctx // crypto/tls reads without one
	trace *trace
	held  bool
}

// giveBack lets another handshake go on.
func (h *handshakeTurn) giveBack() {
	if h.held {
		h.turns.turns.Release(1)
		h.held = false
	}
}

// takeAgain waits for the turn.
func (h *handshakeTurn) takeAgain() error {
	if err := h.turns.take(h.ctx, h.trace); err != nil {
		return err
	}
	h.held = true
	return nil
}
