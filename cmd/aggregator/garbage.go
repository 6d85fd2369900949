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
// the processor.
const (
	growth     = 50
	manyGrowth = 15
	many       = 2500 // clusters
)

// boundGarbage sets it for a fleet of that size, unless the operator has (GOGC).
func boundGarbage(clusters int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growthFor(clusters))
	}
}

func growthFor(clusters int) int {
	if clusters >= many {
		return manyGrowth
	}
	return growth
}

// How often it is looked whether all clusters are known, and how long at most.
const (
	knownLook = 5 * time.Second
	knownTime = 2 * time.Minute
)

// giveBack gives the memory back to the system that was only needed for the first probes, the dear ones with their
// handshakes: once the state of every cluster is known, or after knownTime. Go would keep it for long, should there be as
// much work again.
func giveBack(ctx context.Context, records func() []*health.Record) {
	ticker := time.NewTicker(knownLook)
	defer ticker.Stop()
	for range knownTime / knownLook {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !slices.ContainsFunc(records(), isUnknown) {
			break
		}
	}
	debug.FreeOSMemory()
}

func isUnknown(r *health.Record) bool { return r.State == cluster.Unknown && !r.Subject.Virtual }
