package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// Each cluster of the fetch has objects of 5 MB.
const (
	fetchObjects     = 500
	fetchObjectBytes = 10_000
)

// fetchLimits are how many clusters are read at once: memory must not grow with it.
func fetchLimits() (few, many int) { return 10, 50 }

// fetches are the rounds of one limit.
type fetches struct {
	aggregator []measure.Measurement
	floor      []measure.Measurement
	first      []time.Duration
	bytes      int64
	items      int
}

// benchFetch measures what it takes the aggregator to read the manifests of a whole fleet and hand them to a caller that
// keeps nothing of them. The floor reads the same pages with net/http and throws them away.
func benchFetch(ctx context.Context, b *bench) ([]report.Row, error) {
	clusters := pick(b, 300, 20)
	fleet, err := b.fleet(ctx, clusters, "--pods", strconv.Itoa(fetchObjects), "--object-bytes", strconv.Itoa(fetchObjectBytes))
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	fewLimit, manyLimit := fetchLimits()
	var few, many fetches
	for range pick(b, 3, 1) {
		if err := b.fetchRound(ctx, fleet, clusters, manyLimit, &many); err != nil {
			return nil, err
		}
		if err := b.fetchRound(ctx, fleet, clusters, fewLimit, &few); err != nil {
			return nil, err
		}
	}
	rivals, err := b.fetchRivals(ctx, fleet, clusters)
	if err != nil {
		return nil, err
	}
	found, err := b.alternate(ctx, 1, rivals.jobs()...)
	if err != nil {
		return nil, err
	}
	want := clusters * fetchObjects
	if many.items != want || few.items != want {
		return nil, fmt.Errorf("%d and %d objects came, want %d", many.items, few.items, want)
	}
	return fetchRows(few, many, rivals, found, clusters), nil
}

// fetchRound fetches once from an aggregator that has just started, and once without one.
func (b *bench) fetchRound(ctx context.Context, fleet *simulated.Fleet, clusters, limit int, found *fetches) error {
	a, err := b.aggregator(ctx, fleet.Kubeconfig, unwatched)
	if err != nil {
		return err
	}
	defer a.kill()
	m, err := a.during(func() error {
		f, err := fetchPods(ctx, a.conn, clusters, limit)
		found.first = append(found.first, f.first)
		found.bytes, found.items = f.bytes, f.items
		return err
	})
	if err != nil {
		return err
	}
	floor, err := b.alternate(ctx, 1, job{Role: "discarder", Kubeconfig: fleet.Kubeconfig, Limit: limit})
	if err != nil {
		return err
	}
	found.aggregator = append(found.aggregator, m)
	found.floor = append(found.floor, floor[0]...)
	return nil
}

func fetchRows(few, many fetches, rivals *rivals, found [][]measure.Measurement, clusters int) []report.Row {
	dynamic := found[0][0]
	peak := func(ms []measure.Measurement) report.Quantity {
		return report.Most(measure.Each(ms, measure.PeakRSS))
	}
	cpu := func(ms []measure.Measurement) report.Quantity {
		return report.Median(measure.Each(ms, measure.CPU))
	}
	wall := func(ms []measure.Measurement) report.Quantity {
		return report.Duration(measure.MedianOf(ms, measure.Wall))
	}
	fewLimit, manyLimit := fetchLimits()
	work := fmt.Sprintf("%s of manifests, %d clusters, to a gRPC caller: ", report.Bytes(many.bytes), clusters)
	return []report.Row{{
		Number: 5,
		Work:   work + "peak RSS of the aggregator",
		Ours:   peak(many.aggregator),
		Floor:  peak(many.floor),
		Target: report.AtMost(report.Bytes(128e6)),
		Peers:  rivals.peakLines(found),
		Notes: []string{fmt.Sprintf("the most of %d fetches, each from an aggregator that has just started; limit %d; the floor is net/http and "+
			"io.Discard; the peers hand what they have read to nobody, and run once", len(many.aggregator), manyLimit)},
	}, {
		Number: 5,
		Work:   fmt.Sprintf("the same with limit %d, held against limit %d", manyLimit, fewLimit),
		Ours:   peak(many.aggregator),
		Floor:  peak(few.aggregator),
		Target: report.AtMost(report.Times(1.1)),
	}, {
		Number: 5,
		Work:   work + "CPU of the aggregator",
		Ours:   cpu(many.aggregator),
		Floor:  cpu(many.floor),
		Target: report.AtMost(report.Times(3)),
		Peers:  rivals.fetchLines(found, clusters),
		Notes: append(rivals.notes(),
			fmt.Sprintf("wall %s (floor %s), first object after %s; with limit %d: CPU %s (floor %s), wall %s, first object after %s",
				wall(many.aggregator), wall(many.floor), report.Duration(measure.Median(many.first)),
				fewLimit, cpu(few.aggregator), cpu(few.floor), wall(few.aggregator), report.Duration(measure.Median(few.first)))),
	}, {
		Work:   "CPU of the dynamic client, in aggregators",
		Ours:   report.Times(dynamic.CPU.Seconds() / cpu(many.aggregator).Value),
		Target: report.AtLeast(report.Times(15)),
	}, {
		Work:   "memory of the dynamic client, in aggregators",
		Ours:   report.Times(float64(dynamic.PeakRSS) / peak(many.aggregator).Value),
		Target: report.AtLeast(report.Times(6)),
	}}
}
