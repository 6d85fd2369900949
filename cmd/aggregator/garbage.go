package main

import (
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

// leastHeap is how many bytes the heap may have before garbage is collected. One that is small is collected again and again
// while it grows: that was a quarter of what it took to read a kubeconfig of 1,000 clusters and to connect to them.
const leastHeap = 64 << 20

// mostGrowth makes Go begin with leastHeap: it lets a heap have 4 MiB for each 100 %.
const mostGrowth = leastHeap / (4 << 20) * 100

func growthFor(clusters int) int {
	if clusters >= many {
		return manyGrowth
	}
	return growth
}

// garbage says when memory is collected, unless the operator has (GOGC). What it sets is the process's. Made by
// governGarbage.
type garbage struct {
	operators bool

	mu       sync.Mutex
	growth   int             // for the size of the fleet
	settling bool            // the first probes are under way
	set      int             // percent, the last that was asked for
	next     runtime.Cleanup // at the next collection
}

// governGarbage begins; release ends it.
func governGarbage() *garbage {
	g := &garbage{operators: os.Getenv("GOGC") != "", growth: growth}
	g.collected()
	return g
}

// release leaves it as it is.
func (g *garbage) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next.Stop()
}

// collected has it looked again at the next collection, which finds something that nobody has.
func (g *garbage) collected() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = runtime.AddCleanup(new(*garbage), (*garbage).collected, g)
	g.apply()
}

// bound is for a fleet of that size.
func (g *garbage) bound(clusters int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.growth = growthFor(clusters)
	g.apply()
}

// settles says whether the first probes are under way.
func (g *garbage) settles(settling bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settling = settling
	g.apply()
}

func (g *garbage) apply() {
	least := g.growth
	if g.settling {
		least = max(least, firstGrowth)
	}
	percent := max(least, upToLeast(live()))
	if g.operators || percent == g.set {
		return
	}
	g.set = percent
	debug.SetGCPercent(percent)
}

// upToLeast is by how many percent a heap of that size may grow to be leastHeap.
func upToLeast(size uint64) int {
	if size == 0 { // nothing has been collected yet
		return mostGrowth
	}
	return min(mostGrowth, int(leastHeap*100/size)-100) //nolint:gosec // it is at most 1,600 %
}

// live returns how many bytes the last collection has left.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
