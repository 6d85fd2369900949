package main

import (
	"context"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
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

// boundGarbage sets it for a fleet of that size.
func boundGarbage(clusters int) { setGrowth(growthFor(clusters)) }

// setGrowth sets it unless the operator has (GOGC).
func setGrowth(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

func growthFor(clusters int) int {
	if clusters >= many {
		return manyGrowth
	}
	return growth
}

// How often it is looked whether all clusters are known, and for how long at most.
const (
	knownLook = 5 * time.Second
	knownTime = 2 * time.Minute
)

// settle bounds the garbage of the first probes of a fleet of that size and, when the state of every cluster is known or
// knownTime is over, gives the memory back to the system that only they needed: Go would keep it for long, should there be
// as much work again.
func settle(ctx context.Context, size func() int, records func() []*health.Record) {
	setGrowth(max(growthFor(size()), firstGrowth))
	awaitKnown(ctx, records)
	if ctx.Err() != nil {
		return
	}
	boundGarbage(size())
	debug.FreeOSMemory()
}

func awaitKnown(ctx context.Context, records func() []*health.Record) {
	ticker := time.NewTicker(knownLook)
	defer ticker.Stop()
	for range knownTime / knownLook {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !slices.ContainsFunc(records(), isUnknown) {
			return
		}
	}
}

func isUnknown(r *health.Record) bool { return r.State == cluster.Unknown && !r.Subject.Virtual }
