package store

import (
	"maps"
	"sync"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

// pending is what waits for being written. Its methods never wait for anything but each other.
type pending struct {
	mu sync.Mutex
	// queue holds the transitions in their order, limit of them at most.
	queue []queued
	limit int
	// count is how many were queued ever: it tells them apart.
	count uint64
	// latest is what is to be done for each cluster; since is when the first of it came.
	latest map[string]change
	since  time.Time
	// taken is how many of those were taken out and are being written; takenSince is when the first of them came.
	taken      int
	takenSince time.Time
	// closed refuses more.
	closed bool
}

// queued is a transition that waits.
type queued struct {
	transition health.Transition
	number     uint64
	since      time.Time
}

// change is the latest snapshot of a cluster, or that it is to be forgotten.
type change struct {
	snapshot health.Snapshot
	forget   bool
}

// add queues a transition. It reports whether there was room for it.
func (p *pending) add(t health.Transition) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.queue) >= p.limit {
		return false
	}
	p.count++
	p.queue = append(p.queue, queued{transition: t, number: p.count, since: time.Now()})
	return true
}

// head returns the transitions that have waited longest, at most size of them. They go on waiting.
func (p *pending) head(size int) []queued {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue[:min(size, len(p.queue)):min(size, len(p.queue))]
}

// done takes the first n transitions out of the queue.
func (p *pending) done(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.queue[:n])
	p.queue = p.queue[n:]
	if len(p.queue) == 0 {
		p.queue = nil // the room that a long queue took
	}
}

// put replaces what was to be done for a cluster. It reports whether that is taken.
func (p *pending) put(cluster string, c change) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if len(p.latest) == 0 {
		p.latest, p.since = map[string]change{}, time.Now()
	}
	p.latest[cluster] = c
	return true
}

// take takes out what is to be done for the clusters. All of it has to be written, or put back.
func (p *pending) take() map[string]change {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.latest
	p.latest, p.taken, p.takenSince = nil, len(taken), p.since
	return taken
}

// wrote says that n of what was taken need no more work.
func (p *pending) wrote(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken -= n
}

// putBack is for what was taken and could not be written. What has come in the meantime is newer.
func (p *pending) putBack(taken map[string]change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(taken, p.latest)
	p.latest, p.since, p.taken = taken, p.takenSince, 0
}

// close refuses what comes from now on.
func (p *pending) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

// measure returns how many of both wait, and how long the oldest has.
func (p *pending) measure() (transitions, snapshots int, lag time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) > 0 {
		lag = time.Since(p.queue[0].since)
	}
	if len(p.latest) > 0 {
		lag = max(lag, time.Since(p.since))
	}
	if p.taken > 0 {
		lag = max(lag, time.Since(p.takenSince))
	}
	return len(p.queue), len(p.latest) + p.taken, lag
}
