package main

import (
	"context"
	"fmt"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// benchWatch measures what it costs to watch a large fleet at the default pace, once the state of every cluster is known.
func benchWatch(ctx context.Context, b *bench) ([]report.Row, error) {
	const interval = 10 * time.Second
	clusters, period := pick(b, 10_000, 300), pick(b, time.Minute, 12*time.Second)
	fleet, err := b.fleet(ctx, clusters)
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	began := time.Now()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, interval)
	if err != nil {
		return nil, err
	}
	defer a.kill()
	first, err := a.awaitFirst(ctx, fleet, clusters, began)
	if err != nil {
		return nil, err
	}
	before, err := a.metrics(ctx)
	if err != nil {
		return nil, err
	}
	m, err := a.during(func() error {
		select {
		case <-time.After(period):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return nil, err
	}
	after, err := a.metrics(ctx)
	if err != nil {
		return nil, err
	}
	const probes, lag = "clusterfleet_monitor_probes_total", "clusterfleet_monitor_scheduler_lag_seconds"
	made := after.Value(probes) - before.Value(probes)
	if healthy := after.Value("clusterfleet_monitor_clusters", "state", "HEALTHY"); int(healthy) != clusters {
		return nil, fmt.Errorf("%v of %d clusters are healthy", healthy, clusters)
	}
	rss, err := process.RSS(a.process.PID())
	if err != nil {
		return nil, err
	}
	perSecond := time.Duration(float64(m.CPU) / m.Wall.Seconds())
	work := fmt.Sprintf("watch %d clusters every %v: ", clusters, interval)
	return append([]report.Row{{
		Work:   work + "CPU of the aggregator a second",
		Ours:   report.Duration(perSecond),
		Target: report.AtMost(report.Duration(150 * time.Millisecond)),
		Notes:  []string{fmt.Sprintf("over %v, with %.0f probes; %v of CPU a probe", period, made, time.Duration(float64(m.CPU)/made))},
	}, {
		Work:   work + "RSS of the aggregator",
		Ours:   report.Bytes(rss),
		Target: report.AtMost(report.Bytes(250e6)),
		Notes:  []string{"at the end of that time"},
	}, {
		Work:   work + "peak RSS of the aggregator since its start",
		Ours:   report.Bytes(m.PeakRSS),
		Target: report.AtMost(report.Bytes(400e6)),
	}, {
		Work:   work + "a probe begins later than due, p99, at most",
		Ours:   report.Duration(quantileBound(before[lag], after[lag], 0.99)),
		Target: report.AtMost(report.Duration(time.Second)),
		Notes:  []string{"the bound of the histogram's bucket; probes are put off by up to 25 ms on purpose, to begin together"},
	}}, first.rows()...), nil
}

// awaitHealthy waits until all clusters are known to be healthy.
func (a *aggregator) awaitHealthy(ctx context.Context, clusters int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		found, err := a.metrics(ctx)
		if err != nil {
			return a.process.Failed(err)
		}
		healthy := found.Value("clusterfleet_monitor_clusters", "state", "HEALTHY")
		if int(healthy) == clusters {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%v of %d clusters are healthy: %w", healthy, clusters, ctx.Err())
		}
	}
}

// quantileBound returns the upper bound of the bucket that holds the quantile of what was observed between two scrapes.
func quantileBound(before, after *dto.MetricFamily, q float64) time.Duration {
	old, now := histogramOf(before), histogramOf(after)
	all := now.GetSampleCount() - old.GetSampleCount()
	for i, bucket := range now.GetBucket() {
		count := bucket.GetCumulativeCount()
		if i < len(old.GetBucket()) {
			count -= old.GetBucket()[i].GetCumulativeCount()
		}
		if float64(count) >= q*float64(all) {
			return time.Duration(bucket.GetUpperBound() * float64(time.Second))
		}
	}
	return time.Hour
}

func histogramOf(family *dto.MetricFamily) *dto.Histogram {
	if len(family.GetMetric()) == 0 {
		return nil
	}
	return family.GetMetric()[0].GetHistogram()
}
