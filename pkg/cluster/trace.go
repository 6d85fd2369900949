package cluster

import (
	"context"
	"sync/atomic"
	"syscall"
	"time"
)

// trace follows one call through the transports: which phase it is in, and what was found on the way. The phase may be
// read by anybody at any time, the findings only by the goroutine that makes the call.
type trace struct {
	phase atomic.Int32
	// fresh asks for a new connection, with a full handshake, and for what can be found on it.
	fresh bool
	// terse allows answers without a header.
	terse bool
	// deadline ends the call, beside its context, if it is set. It saves a warm probe the making of a context.
	deadline time.Time
	findings
}

// findings are what a call learns about its connection.
type findings struct {
	// The steps say how far a fresh connection came. A server that is named by its address needs no dns.
	dns, connect, handshake step
	// firstByte is the time from the sent request to the first byte of the answer, probes only.
	firstByte time.Duration
	// queued is the time spent waiting for the aggregator's own limits.
	queued time.Duration
	// proof and token are those of a fresh connection: when what it was authenticated with ends, zero if it does not.
	proof proof
	token time.Time
	// socket is the one that was just dialled.
	socket syscall.Conn
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

// wait runs do, which waits for one of the aggregator's own limits, and returns to the phase it was called in.
func (t *trace) wait(do func() error) error {
	before := t.at()
	t.enter(PhaseQueue)
	start := time.Now()
	err := do()
	t.queued += time.Since(start)
	if err == nil {
		t.enter(before)
	}
	return err
}

// part returns a trace for a part of the call that may outlive it.
func (t *trace) part() *trace {
	return &trace{fresh: t.fresh, terse: t.terse, deadline: t.deadline}
}

// adopt takes over what a part that has ended found.
func (t *trace) adopt(part *trace) {
	t.findings = part.findings
	t.enter(part.at())
}
