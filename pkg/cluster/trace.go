package cluster

import (
	"context"
	"crypto/tls"
	"sync/atomic"
	"time"
)

// trace follows one call through the transports: which phase it is in, and for a fresh connection how long its steps
// took. The phase may be read by anybody at any time, the rest only by the goroutine that makes the call.
type trace struct {
	phase atomic.Int32

	// fresh asks for a new connection, with a full handshake, and for its timings.
	fresh bool
	// dialed says how far a fresh connection came.
	dns, connect, handshake step
	// firstByte is the time from the sent request to the first byte of the answer, probes only.
	firstByte time.Duration
	tls       *tls.ConnectionState
	// clientCertificate and token are when those end that a fresh connection used, zero if there are none.
	clientCertificate, token time.Time
}

// step is one timed step of making a connection.
type step struct {
	began bool
	done  bool
	took  time.Duration
}

type traceKey struct{}

func withTrace(ctx context.Context, t *trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf returns the call's trace, or one that nobody reads.
func traceOf(ctx context.Context) *trace {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		return t
	}
	return &trace{}
}

func (t *trace) enter(p Phase) { t.phase.Store(int32(p)) }

func (t *trace) at() Phase { return Phase(t.phase.Load()) }

// time runs do as one step of a fresh connection.
func (t *trace) time(s *step, do func() error) error {
	if !t.fresh {
		return do()
	}
	s.began = true
	start := time.Now()
	err := do()
	s.took, s.done = time.Since(start), err == nil
	return err
}
