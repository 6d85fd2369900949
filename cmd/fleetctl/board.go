package main

import (
	"maps"
	"slices"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// board is what a watch has told of the fleet so far: the latest health of each cluster.
type board struct {
	known map[string]*fleetv1.ClusterHealth
	// void are the clusters that were known before a reset and have not been sent since.
	void map[string]bool
	// synced tells that the board is as the aggregator knows it, not on the way there.
	synced bool
}

func newBoard() *board { return &board{known: map[string]*fleetv1.ClusterHealth{}} }

// change is what an event changes of one cluster; before is nil for a new one, after for one that is gone.
type change struct{ before, after *fleetv1.ClusterHealth }

func (c change) cluster() string {
	if c.after == nil {
		return c.before.GetCluster()
	}
	return c.after.GetCluster()
}

// take notes an event and returns what it changes: of a cluster that is sent anew after a reset, what it was before that.
func (b *board) take(event *fleetv1.WatchClusterHealthResponse) []change {
	switch e := event.GetEvent().(type) {
	case *fleetv1.WatchClusterHealthResponse_Started_:
		b.synced = false
		if e.Started.GetReset_() {
			b.void = map[string]bool{}
			for name := range b.known {
				b.void[name] = true
			}
		}
	case *fleetv1.WatchClusterHealthResponse_Changed:
		name := e.Changed.GetCluster()
		before := b.known[name]
		b.known[name] = e.Changed
		delete(b.void, name)
		return []change{{before, e.Changed}}
	case *fleetv1.WatchClusterHealthResponse_Removed_:
		return b.remove(e.Removed.GetCluster())
	case *fleetv1.WatchClusterHealthResponse_Synced_:
		b.synced = true
		return b.remove(slices.Sorted(maps.Keys(b.void))...)
	}
	return nil
}

func (b *board) remove(names ...string) (gone []change) {
	for _, name := range names {
		if before := b.known[name]; before != nil {
			gone = append(gone, change{before: before})
		}
		delete(b.known, name)
		delete(b.void, name)
	}
	return gone
}

// all are the clusters in the order of their names.
func (b *board) all() []live {
	found := make([]live, 0, len(b.known))
	for _, name := range slices.Sorted(maps.Keys(b.known)) {
		found = append(found, watched(b.known[name]))
	}
	return found
}
