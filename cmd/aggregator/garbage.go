package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// Most of the heap of a large fleet is connections that stay. How much it grows before it is collected, in percent, is less
// than Go's 100: half of the memory that this would take, or a seventh where there are many clusters, is worth a little of
// the processor. The first probes of many clusters, with their handshakes, leave so much garbage that they get more.
const (
	growth      = 50
	manyGrowth  = 15
	firstGrowth = 25
	many        = 2500 // clusters
)

// leastMemory is how many bytes the process may have before garbage is collected. A heap that is small is collected again
// and again while it grows: that was a quarter of what it took to read a kubeconfig of 1,000 clusters and to connect to them.
const leastMemory = 64 << 20

func growthFor(clusters int) int {
	if clusters >= many {
		return manyGrowth
	}
	return growth
}

// garbage says when memory is collected, unless the operator has (GOGC). What it sets is the process's. Made by
// holdGarbage.
type garbage struct {
	operators bool

	mu     sync.Mutex
	growth int
	held   bool            // the heap is still small
	next   runtime.Cleanup // at the next collection
}

// holdGarbage puts collections off until the process has leastMemory; an operator's GOMEMLIMIT leaves them to Go.
func holdGarbage() *garbage {
	g := &garbage{operators: os.Getenv("GOGC") != "", growth: growth}
	if g.operators || os.Getenv("GOMEMLIMIT") != "" {
		g.set(growth)
		return g
	}
	g.held = true
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(leastMemory)
	g.await()
	return g
}

// await has it looked again at the next collection, which finds something that nobody has.
func (g *garbage) await() { g.next = runtime.AddCleanup(new(*garbage), (*garbage).collected, g) }

// collected ends the holding if the heap, grown as it may, would be larger.
func (g *garbage) collected() {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.held:
	case live()*uint64(100+g.growth)/100 < leastMemory: //nolint:gosec // it is a small percentage
		g.await()
	default:
		g.end()
	}
}

// live returns how many bytes the last collection has left.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// release ends the holding.
func (g *garbage) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held {
		g.next.Stop()
		g.end()
	}
}

func (g *garbage) end() {
	g.held = false
	debug.SetGCPercent(g.growth)
	debug.SetMemoryLimit(math.MaxInt64)
}

// bound is for a fleet of that size.
func (g *garbage) bound(clusters int) { g.set(growthFor(clusters)) }

// set lets the heap grow by so many percent once it is no longer small.
func (g *garbage) set(percent int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.growth = percent
	if !g.operators && !g.held {
		debug.SetGCPercent(percent)
	}
}
