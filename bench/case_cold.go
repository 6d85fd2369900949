package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// benchCold measures the processor time of a process from its start until it has probed each cluster of its kubeconfig
// once. Ours is the aggregator, asked over gRPC as soon as it serves. One comes to a fleet for the first time only once:
// each round has processes of its own.
func benchCold(ctx context.Context, b *bench) ([]report.Row, error) {
	contexts := pick(b, 1000, 200)
	fleet, err := b.fleet(ctx, contexts)
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	j := job{Kubeconfig: fleet.Kubeconfig, Limit: probeLimit, Sweeps: 1}
	floor, inside := j, j
	floor.Role, inside.Role = "handshakes", "cold"
	var found [3][]measure.Measurement
	rounds := pick(b, 7, 2)
	for range rounds {
		for i, start := range []func() (measure.Measurement, error){
			func() (measure.Measurement, error) { return b.coldAggregator(ctx, fleet, contexts) },
			func() (measure.Measurement, error) { return b.coldChild(ctx, floor, contexts) },
			func() (measure.Measurement, error) { return b.coldChild(ctx, inside, contexts) },
		} {
			m, err := start()
			if err != nil {
				return nil, err
			}
			found[i] = append(found[i], m)
		}
	}
	cpu := func(i int) report.Quantity { return report.Median(measure.Each(found[i], measure.CPU)) }
	wall := func(i int) time.Duration { return measure.MedianOf(found[i], measure.Wall).Round(time.Millisecond) }
	return []report.Row{{
		Number: 9,
		Work:   fmt.Sprintf("%d contexts, from the start of the aggregator until all are probed: CPU", contexts),
		Ours:   cpu(0),
		Floor:  cpu(1),
		Target: report.AtMost(report.Times(1.3)),
		Peers:  []report.Peer{{Name: "the same without a server, in one process", Value: cpu(2)}},
		Notes: []string{fmt.Sprintf("the whole processor time of processes that have just started, the median of %d; quick probes through gRPC, "+
			"%d at once; the floor reads the file with the product's own loader and makes a verified TLS connection to each server, as many at once; "+
			"wall %v, floor %v", rounds, probeLimit, wall(0), wall(1))},
	}}, nil
}

// coldAggregator measures an aggregator from its start to the summary of its first call.
func (b *bench) coldAggregator(ctx context.Context, fleet *simulated.Fleet, clusters int) (measure.Measurement, error) {
	start := time.Now()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, unwatched)
	if err != nil {
		return measure.Measurement{}, err
	}
	defer a.kill()
	if err := probeAll(ctx, a.conn, clusters, probeLimit, 5*time.Second); err != nil {
		return measure.Measurement{}, a.process.Failed(err)
	}
	return sinceStart(a.process, start)
}

// coldChild measures a child from its start to the end of its first round.
func (b *bench) coldChild(ctx context.Context, j job, want int) (measure.Measurement, error) {
	start := time.Now()
	c, err := b.contestant(ctx, j)
	if err != nil {
		return measure.Measurement{}, err
	}
	defer c.kill()
	m, err := c.round()
	if err != nil {
		return m, err
	}
	if m.Operations != want {
		return m, fmt.Errorf("%s came to %d clusters, want %d", j.Role, m.Operations, want)
	}
	return sinceStart(c.process, start)
}

// sinceStart is what a process has taken in its whole life.
func sinceStart(p *process.Process, start time.Time) (measure.Measurement, error) {
	cpu, err := process.CPU(p.PID())
	return measure.Measurement{Wall: time.Since(start), CPU: cpu}, err
}
