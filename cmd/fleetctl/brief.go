package main

import (
	"io"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// brief prints the objects that an expression selects, in the order of the clusters' names. Their API servers have no
// table of them.
type brief struct {
	out        io.Writer
	namespaces bool
	noHeadings bool

	clusters map[string][]*fleetv1.Manifest
}

func (b *brief) add(batch *fleetv1.ManifestBatch) ([]failure, error) {
	if b.clusters == nil {
		b.clusters = map[string][]*fleetv1.Manifest{}
	}
	b.clusters[batch.GetCluster()] = append(b.clusters[batch.GetCluster()], batch.GetManifests()...)
	return nil, nil
}

func (b *brief) close() error {
	grid := output.Grid{Headings: []string{"CLUSTER", "NAME", "AGE"}, NoHeadings: b.noHeadings}
	if b.namespaces {
		grid.Headings = slices.Insert(grid.Headings, 1, "NAMESPACE")
	}
	for _, cluster := range slices.Sorted(maps.Keys(b.clusters)) {
		for _, m := range b.clusters[cluster] {
			cells := []string{cluster, m.GetName(), age(m.GetProjection())}
			if b.namespaces {
				cells = slices.Insert(cells, 1, m.GetNamespace())
			}
			grid.Row(cells...)
		}
	}
	return grid.Write(b.out)
}

// age is how long ago an object was created, as kubectl prints it.
func age(created string) string {
	at, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return "<unknown>"
	}
	return duration.HumanDuration(time.Since(at))
}
