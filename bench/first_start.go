package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// firstStart is how an aggregator came to know a fleet.
type firstStart struct {
	clusters int
	// took is the time until all were known to be healthy, cpu what the aggregator's process had used by then.
	took, cpu time.Duration
	// fastest is the most TLS handshakes a second, over half a second and more.
	fastest float64
}

// awaitFirst waits until all clusters of an aggregator that began then are known to be healthy, and measures what that took.
func (a *aggregator) awaitFirst(ctx context.Context, fleet *simulated.Fleet, clusters int, began time.Time) (firstStart, error) {
	f := firstStart{clusters: clusters}
	ctx, stop := context.WithCancel(ctx)
	counted := make(chan error, 1)
	go func() {
		var err error
		f.fastest, err = fastestHandshakes(ctx, fleet)
		counted <- err
	}()
	err := a.awaitHealthy(ctx, clusters)
	f.took = time.Since(began)
	stop()
	if countErr := <-counted; err == nil {
		err = countErr
	}
	if err != nil {
		return f, err
	}
	f.cpu, err = process.CPU(a.process.PID())
	return f, err
}

// fastestHandshakes looks every half second how many handshakes the fleet has seen, until ctx ends.
func fastestHandshakes(ctx context.Context, fleet *simulated.Fleet) (perSecond float64, err error) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	var before int64
	at := time.Now()
	for {
		stats, err := fleet.Stats(ctx)
		if ctx.Err() != nil {
			return perSecond, nil // it was stopped while it looked
		}
		if err != nil {
			return 0, err
		}
		now := time.Now()
		perSecond = max(perSecond, float64(stats.TLSHandshakes-before)/max(now.Sub(at), 500*time.Millisecond).Seconds())
		before, at = stats.TLSHandshakes, now
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return perSecond, nil
		}
	}
}

// rows says what it took. The monitor begins with a cluster every 2 ms, so that a fleet of 10,000 takes 20 s, and confirms
// that each is healthy 2 s later; a small one begins with one every 10 ms.
func (f firstStart) rows() []report.Row {
	work := fmt.Sprintf("the first start with %d clusters: ", f.clusters)
	return []report.Row{{
		Work:   work + "until all are known to be healthy",
		Ours:   report.Duration(f.took),
		Target: report.AtMost(report.Duration(45 * time.Second)),
		Notes:  []string{fmt.Sprintf("%v of CPU, %v a cluster", f.cpu, (f.cpu / time.Duration(f.clusters)).Round(10*time.Microsecond))},
	}, {
		Work:   work + "TLS handshakes a second, at most",
		Ours:   report.Count(int(f.fastest)),
		Target: report.AtMost(report.Count(600)),
		Notes:  []string{"one every 2 ms is due; where the processor was late, 540 a second begin until it is made up for"},
	}}
}
