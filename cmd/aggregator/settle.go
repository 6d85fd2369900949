package main

import (
	"context"
	"runtime/debug"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// How often it is looked whether all clusters are known, and for how long at most.
const (
	knownLook = 5 * time.Second
	knownTime = 2 * time.Minute
)

// settle bounds the garbage of the first probes and, when the state of every cluster is known or
// knownTime is over, gives the memory back to the system that only they needed: Go would keep it for long, should there be
// as much work again.
func (g *garbage) settle(ctx context.Context, records func() []*health.Record) {
	g.settles(true)
	awaitKnown(ctx, records)
	if ctx.Err() != nil {
		return
	}
	g.settles(false)
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
