package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// listAllocations is how many allocations a list may make, however many items it has.
const listAllocations = 20

// benchSplit measures what it takes to split the body of a list into items, in memory.
func benchSplit(ctx context.Context, b *bench) ([]report.Row, error) {
	fleet, err := b.fleet(ctx, 1, "--pods", strconv.Itoa(fetchObjects), "--object-bytes", strconv.Itoa(fetchObjectBytes))
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	j := job{Role: "split", Kubeconfig: fleet.Kubeconfig, Sweeps: pick(b, 200, 20)}
	bare, decoder, allocations := j, j, j
	bare.Shape, decoder.Shape, allocations.Shape = "memmove", "jsontext", "allocations"
	found, err := b.alternate(ctx, pick(b, 5, 2), j, bare, decoder, allocations)
	if err != nil {
		return nil, err
	}
	rate := func(i int) report.Quantity { return report.MedianRate(measure.Each(found[i], bytesPerSecond)) }
	made := slices.MinFunc(found[3], func(a, b measure.Measurement) int { return a.Operations - b.Operations }).Operations
	return []report.Row{{
		Number: 10,
		Work:   "split lists into items: data a second of CPU",
		Ours:   rate(0),
		Floor:  rate(1),
		Target: report.AtLeast(report.Rate(1.6e9)),
		Peers:  []report.Peer{{Name: "jsontext, validation alone", Value: rate(2)}},
		Notes: []string{fmt.Sprintf("the floor copies the bytes once, and its ratio is one of times; lists of %d pods of %d bytes, checked, "+
			"managedFields taken out", fetchObjects, fetchObjectBytes)},
	}, {
		Number: 10,
		Work:   fmt.Sprintf("split lists into items: allocations a list of %d", fetchObjects),
		Ours:   report.Count((made + j.Sweeps - 1) / j.Sweeps),
		Target: report.AtMost(report.Count(listAllocations)),
		Must:   true,
		Notes: []string{fmt.Sprintf("of the list as a whole, and a few of the runtime's own: none is an item's; %.1f before rounding up",
			float64(made)/float64(j.Sweeps))},
	}}, nil
}

// bytesPerSecond is how much a splitter went over in a second of processor time.
func bytesPerSecond(m measure.Measurement) int64 {
	return int64(float64(m.Operations) / max(m.CPU, time.Microsecond).Seconds())
}
