package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

const (
	// grace is how long after its time, or after a signal, a run has to write what it found.
	grace = 500 * time.Millisecond
	// lastGrace is how long a write may take after that.
	lastGrace = 200 * time.Millisecond
)

// errUnread means that nobody reads what is written.
var errUnread = errors.New("the output is not read")

// patience bounds the writes of a run: one to a pipe that is full and not read would never return.
type patience struct {
	over chan struct{}
	end  sync.Once
}

func newPatience() *patience { return &patience{over: make(chan struct{})} }

// last makes the patience end a grace after d.
func (p *patience) last(d time.Duration) {
	time.AfterFunc(d+grace, func() { p.end.Do(func() { close(p.over) }) })
}

// bounded gives a command its time, --timeout, and the whole run not much more.
func (a *app) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	a.patience.last(a.connection.timeout)
	return context.WithTimeout(ctx, a.connection.timeout)
}

// writer returns w, bounded.
func (p *patience) writer(w io.Writer) io.Writer { return &patientWriter{w: w, over: p.over} }

type patientWriter struct {
	w      io.Writer
	over   <-chan struct{}
	unread bool
}

// written is how a write ended.
type written struct {
	n   int
	err error
}

// Write gives up on a write that does not end; then its goroutine lives until the program ends, and every other write fails.
func (p *patientWriter) Write(text []byte) (int, error) {
	if p.unread {
		return 0, errUnread
	}
	done := make(chan written, 1)
	go func() {
		n, err := p.w.Write(text)
		done <- written{n, err}
	}()
	select {
	case end := <-done:
		return end.n, end.err
	case <-p.over:
	}
	last := time.NewTimer(lastGrace)
	defer last.Stop()
	select {
	case end := <-done:
		return end.n, end.err
	case <-last.C:
		p.unread = true
		return 0, errUnread
	}
}
