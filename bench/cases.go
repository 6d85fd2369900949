package main

import (
	"context"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// benchCase is one thing to measure.
type benchCase struct {
	name string // what -run matches
	work string // in a few words
	// run measures it. An error says that something did not work, never that it was slow.
	run func(ctx context.Context, b *bench) ([]report.Row, error)
}

// cases are all of them, in the order in which they run.
func cases() []benchCase {
	return []benchCase{
		{"kubeconfig", "load a kubeconfig of many contexts", benchKubeconfig},
		{"cold", "a start, until each cluster has been probed", benchCold},
		{"probe", "warm quick probes", benchProbe},
		{"even", "a fan-out over clusters that are all alike", benchEven},
		{"tail", "a fan-out over clusters of which some are slow", benchTail},
		{"cancel", "a caller that is killed", benchCancel},
		{"watch", "a fleet that is always watched", benchWatch},
		{"watchers", "many callers that watch", benchWatchers},
		{"split", "lists split into items", benchSplit},
		{"fetch", "manifests of many clusters", benchFetch},
		{"first", "the first manifests of a fleet of which some is dead", benchFirst},
		{"silent", "lists of the living while others are silent", benchSilent},
		{"references", "many single objects", benchReferences},
		{"compare", "a comparison over the fleet", benchCompare},
	}
}
