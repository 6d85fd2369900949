package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// probeLimit is how many probes run at once, in every contestant.
const probeLimit = 64

// benchProbe measures the processor time of a quick probe on a connection that is kept alive, its result stored.
func benchProbe(ctx context.Context, b *bench) ([]report.Row, error) {
	clusters := pick(b, 2000, 200)
	fleet, err := b.fleet(ctx, clusters)
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	j := job{Kubeconfig: fleet.Kubeconfig, Limit: probeLimit, Sweeps: pick(b, 5, 2)}
	ours, bare, std := j, j, j
	ours.Role, bare.Role, std.Role = "fleet", "bare", "net/http"
	rounds := pick(b, 9, 2)
	rivals, err := b.probeRivals(ctx, j, clusters)
	if err != nil {
		return nil, err
	}
	found, err := b.alternate(ctx, rounds, append([]job{ours, bare, std}, rivals.jobs()...)...)
	if err != nil {
		return nil, err
	}
	for _, rounds := range found[:3] {
		for _, m := range rounds {
			if want := clusters * j.Sweeps; m.Operations != want {
				return nil, fmt.Errorf("a round made %d probes, want %d", m.Operations, want)
			}
		}
	}
	scheduled, err := b.scheduledRivals(ctx, j)
	if err != nil {
		return nil, err
	}
	alone, err := b.alternate(ctx, pick(b, 3, 1), scheduled.jobs()...)
	if err != nil {
		return nil, err
	}
	found = append(found, alone...)
	rivals.join(scheduled)
	cpu := func(i int) report.Quantity {
		return report.Median(measure.Each(found[i], measure.Measurement.CPUPerOperation))
	}
	peak := func(i int) report.Quantity { return report.Bytes(found[i][rounds-1].PeakRSS) }
	return []report.Row{{
		Number: 1,
		Work:   fmt.Sprintf("warm quick probe, result stored, %d clusters: CPU", clusters),
		Ours:   cpu(0),
		Floor:  cpu(1),
		Target: report.AtMost(report.Duration(30 * time.Microsecond)),
		Peers:  append([]report.Peer{{Name: "net/http, a client a cluster", Value: cpu(2)}}, rivals.probeLines(found[3:])...),
		Notes: append(rivals.notes(), fmt.Sprintf("the median of %d rounds of %d sweeps, %d at once; peak RSS %s, bare loop %s, net/http %s",
			rounds, j.Sweeps, probeLimit, peak(0), peak(1), peak(2))),
	}, {
		Work:   "the same, held against the floor",
		Ours:   cpu(0),
		Floor:  cpu(1),
		Target: report.AtMost(report.Times(2)),
	}}, nil
}
