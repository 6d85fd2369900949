package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// benchSplit measures what it takes to split the body of a list into items, in memory.
func benchSplit(ctx context.Context, b *bench) ([]report.Row, error) {
	fleet, err := b.fleet(ctx, 1, "--pods", strconv.Itoa(fetchObjects), "--object-bytes", strconv.Itoa(fetchObjectBytes))
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	j := job{Role: "split", Kubeconfig: fleet.Kubeconfig, Sweeps: pick(b, 200, 20)}
	bare, decoder := j, j
	bare.Shape, decoder.Shape = "memmove", "jsontext"
	found, err := b.alternate(ctx, pick(b, 5, 2), j, bare, decoder)
	if err != nil {
		return nil, err
	}
	gigabyte := func(i int) time.Duration {
		return measure.MedianOf(found[i], func(m measure.Measurement) time.Duration {
			return time.Duration(float64(m.CPU) * 1e9 / float64(m.Operations))
		})
	}
	rate := func(i int) string { return fmt.Sprintf("%.2f GB/s", 1/gigabyte(i).Seconds()) }
	return []report.Row{{
		Work:   "split 1 GB of lists into items: CPU",
		Ours:   report.Duration(gigabyte(0)),
		Floor:  report.Duration(gigabyte(1)),
		Target: report.AtMost(report.Duration(625 * time.Millisecond)),
		Peers:  []report.Peer{{Name: "jsontext, validation alone", Value: report.Duration(gigabyte(2))}},
		Notes: []string{fmt.Sprintf("%s; the floor copies the bytes once: %s; jsontext %s; lists of %d pods of %d bytes, checked, "+
			"managedFields taken out", rate(0), rate(1), rate(2), fetchObjects, fetchObjectBytes)},
	}}, nil
}
