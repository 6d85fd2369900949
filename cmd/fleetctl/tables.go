package main

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// tables keeps the rows that API servers print and prints them in the order of the clusters' names.
type tables struct {
	out        io.Writer
	wide       bool
	namespaces bool
	noHeadings bool

	clusters map[string]*clusterTable
}

// clusterTable is what one cluster prints.
type clusterTable struct {
	columns []*fleetv1.Table_Column
	rows    []*fleetv1.Table_Row
}

func (t *tables) add(batch *fleetv1.ManifestBatch) ([]failure, error) {
	if batch.GetTable() == nil {
		return nil, nil
	}
	if t.clusters == nil {
		t.clusters = map[string]*clusterTable{}
	}
	c := t.clusters[batch.GetCluster()]
	if c == nil {
		c = &clusterTable{}
		t.clusters[batch.GetCluster()] = c
	}
	if columns := batch.GetTable().GetColumns(); len(columns) > 0 {
		c.columns = columns
	}
	c.rows = append(c.rows, batch.GetTable().GetRows()...)
	return nil, nil
}

// block is the rows of the clusters that print the same columns.
type block struct {
	shown    []int // The indexes of the columns to print.
	headings []string
	clusters []string
}

func (t *tables) close() error {
	for i, b := range t.blocks() {
		if i > 0 && !t.noHeadings {
			if _, err := io.WriteString(t.out, "\n"); err != nil {
				return err
			}
		}
		if err := t.print(b); err != nil {
			return err
		}
	}
	return nil
}

// blocks puts the clusters that print the same columns together, in the order of their names.
func (t *tables) blocks() []*block {
	var blocks []*block
	known := map[string]*block{}
	for _, cluster := range slices.Sorted(maps.Keys(t.clusters)) {
		c := t.clusters[cluster]
		if len(c.rows) == 0 {
			continue
		}
		b := t.block(c)
		key := strings.Join(b.headings, "\x00")
		if known[key] == nil {
			known[key] = b
			blocks = append(blocks, b)
		}
		known[key].clusters = append(known[key].clusters, cluster)
	}
	return blocks
}

func (t *tables) block(c *clusterTable) *block {
	b := &block{}
	for i, column := range c.columns {
		if column.GetPriority() == 0 || t.wide {
			b.shown = append(b.shown, i)
			b.headings = append(b.headings, strings.ToUpper(column.GetName()))
		}
	}
	return b
}

func (t *tables) print(b *block) error {
	front := []string{"CLUSTER"}
	namespaces := t.namespaces && t.namespaced(b)
	if namespaces {
		front = append(front, "NAMESPACE")
	}
	grid := output.Grid{Headings: append(front, b.headings...), NoHeadings: t.noHeadings}
	for _, cluster := range b.clusters {
		c := t.clusters[cluster]
		shown := t.block(c).shown
		for _, row := range c.rows {
			cells := []string{cluster}
			if namespaces {
				cells = append(cells, row.GetNamespace())
			}
			for _, i := range shown {
				cells = append(cells, cell(row, i))
			}
			grid.Row(cells...)
		}
	}
	return grid.Write(t.out)
}

// namespaced tells whether the objects of a block have namespaces: kubectl prints no empty column either.
func (t *tables) namespaced(b *block) bool {
	for _, cluster := range b.clusters {
		for _, row := range t.clusters[cluster].rows {
			if row.GetNamespace() != "" {
				return true
			}
		}
	}
	return false
}

// cell is what kubectl prints of a cell: its first line. A row may be shorter than the columns.
func cell(row *fleetv1.Table_Row, i int) string {
	if i >= len(row.GetCells()) {
		return ""
	}
	text := row.GetCells()[i]
	if end := strings.IndexAny(text, "\f\n\r"); end >= 0 {
		return text[:end] + "..."
	}
	return text
}
