package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// How many different values are counted, and how many bytes they may have together.
const (
	maxGroups     = 10_000
	maxGroupBytes = 64 << 20
)

// noValue stands for the value of objects that have none.
const noValue = "<none>"

// fewNames is how many clusters of a group -o wide names.
const fewNames = 3

// groups counts how many objects, in which clusters, have which value of a path.
type groups struct {
	app      *app
	printing printing
	format   output.Format

	groups map[string]*group
	bytes  int
}

// group is the objects with one value.
type group struct {
	value    string // empty for those without one
	count    int
	clusters map[string]struct{}
}

func (g *groups) add(batch *fleetv1.ManifestBatch) ([]failure, error) {
	if g.groups == nil {
		g.groups = map[string]*group{}
	}
	for _, m := range batch.GetManifests() {
		value := m.GetProjection()
		found := g.groups[value]
		if found == nil {
			g.bytes += len(value)
			if len(g.groups) == maxGroups || g.bytes > maxGroupBytes {
				return nil, fmt.Errorf("there are too many different values to group by (more than %d, or %d MiB of them): choose a path whose values repeat, or select fewer objects",
					maxGroups, maxGroupBytes>>20)
			}
			found = &group{value: value, clusters: map[string]struct{}{}}
			g.groups[value] = found
		}
		found.count++
		found.clusters[batch.GetCluster()] = struct{}{}
	}
	return nil, nil
}

// close prints the groups, the largest first.
func (g *groups) close() error {
	sorted := slices.SortedFunc(maps.Values(g.groups), func(x, y *group) int {
		return cmp.Or(cmp.Compare(y.count, x.count), cmp.Compare(x.value, y.value))
	})
	switch g.format.Kind {
	case output.Table, output.Wide:
		return g.table(sorted)
	case output.Name:
		for _, found := range sorted {
			if err := g.app.name(orNone(found.value)); err != nil {
				return err
			}
		}
		return nil
	default:
		return g.documents(sorted)
	}
}

// documents prints the groups for programs.
func (g *groups) documents(sorted []*group) error {
	items := make([]json.RawMessage, 0, len(sorted))
	for _, found := range sorted {
		raw, err := json.Marshal(found.document())
		if err != nil {
			return err
		}
		items = append(items, raw)
	}
	if g.format.Kind != output.JSONL {
		return g.app.document(g.printing, g.format, items, nil)
	}
	for _, item := range items {
		if err := g.app.line(item); err != nil {
			return err
		}
	}
	return nil
}

func (g *groups) table(sorted []*group) error {
	grid := output.Grid{Headings: []string{"VALUE", "COUNT", "CLUSTERS"}, NoHeadings: g.printing.noHeadings}
	if g.format.Kind == output.Wide {
		grid.Headings = append(grid.Headings, "NAMES")
	}
	for _, found := range sorted {
		cells := []string{orNone(found.value), strconv.Itoa(found.count), strconv.Itoa(len(found.clusters))}
		if g.format.Kind == output.Wide {
			cells = append(cells, some(slices.Sorted(maps.Keys(found.clusters)), fewNames))
		}
		grid.Row(cells...)
	}
	return grid.Write(g.app.stdout)
}

// groupDocument is a group for programs.
type groupDocument struct {
	Value    string   `json:"value,omitempty"` // left out for objects without one
	Count    int      `json:"count"`
	Clusters []string `json:"clusters"`
}

func (g *group) document() groupDocument {
	return groupDocument{Value: g.value, Count: g.count, Clusters: slices.Sorted(maps.Keys(g.clusters))}
}

func orNone(value string) string { return cmp.Or(value, noValue) }
