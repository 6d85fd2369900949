package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

const (
	// settleTime is what calls get to come into flight, and what they leave behind to go.
	settleTime = 20 * time.Second
	// restTime is how long the number of calls in flight has to stand still to be taken for all that come.
	restTime = 3 * time.Second
	// pollInterval is how often the API servers are asked what they see.
	pollInterval = 20 * time.Millisecond
)

// killings are what the API servers saw when callers were killed.
type killings struct {
	p50, p99, last []time.Duration
	inFlight       int // at the kill, the fewest of all
}

// kill starts a caller, kills it when its calls are in flight, and notes when the API servers saw them aborted.
func (b *bench) kill(ctx context.Context, fleet *simulated.Fleet, j job, calls int, found *killings) error {
	caller, err := b.contestant(ctx, j)
	if err != nil {
		return err
	}
	defer caller.kill()
	if err := fleet.Reset(ctx); err != nil {
		return err
	}
	if err := caller.begin(); err != nil {
		return err
	}
	inFlight, err := inFlight(ctx, fleet, calls)
	if err != nil {
		return err
	}
	killed := time.Now()
	caller.kill()
	err = poll(ctx, settleTime, func() (bool, error) {
		stats, err := fleet.Stats(ctx)
		return stats.InFlight == 0, err
	})
	if err != nil {
		return err
	}
	stats, err := fleet.Stats(ctx) // once more: none is in flight any longer, so that all aborts are there
	if err != nil {
		return err
	}
	return found.add(killed, inFlight, stats.AbortTimesUnixNano)
}

// inFlight waits until as many calls are in flight, or no more come, and returns how many there are.
func inFlight(ctx context.Context, fleet *simulated.Fleet, calls int) (int, error) {
	most, since := 0, time.Now()
	err := poll(ctx, settleTime, func() (bool, error) {
		stats, err := fleet.Stats(ctx)
		if stats.InFlight > most {
			most, since = stats.InFlight, time.Now()
		}
		return most >= calls || most > 0 && time.Since(since) > restTime, err
	})
	return most, err
}

// add notes one kill. That fewer calls were aborted than were in flight is an error: the others were not seen to end.
func (k *killings) add(killed time.Time, inFlight int, abortTimes []int64) error {
	if len(abortTimes) < inFlight {
		return fmt.Errorf("of %d calls in flight at the kill only %d were aborted", inFlight, len(abortTimes))
	}
	delays := make([]time.Duration, len(abortTimes))
	for i, at := range abortTimes {
		delays[i] = time.Duration(at - killed.UnixNano())
	}
	if len(k.last) == 0 || inFlight < k.inFlight {
		k.inFlight = inFlight
	}
	k.p50 = append(k.p50, measure.Percentile(delays, 50))
	k.p99 = append(k.p99, measure.Percentile(delays, 99))
	k.last = append(k.last, measure.Percentile(delays, 100))
	return nil
}

// holdings are what the aggregator holds.
type holdings struct {
	goroutines, files int
	connections       int // at the API servers
}

func (a *aggregator) holdings(ctx context.Context, fleet *simulated.Fleet) (holdings, error) {
	var h holdings
	stats, err := fleet.Stats(ctx)
	if err != nil {
		return h, err
	}
	h.connections = stats.OpenConnections
	if h.files, err = process.OpenFiles(a.process.PID()); err != nil {
		return h, err
	}
	h.goroutines, err = a.goroutines(ctx)
	return h, err
}

// settled returns what the aggregator holds when that has come back to what it was, or does not any more.
func (a *aggregator) settled(ctx context.Context, fleet *simulated.Fleet, before holdings) (holdings, error) {
	var after holdings
	start := time.Now()
	err := poll(ctx, settleTime, func() (bool, error) {
		var err error
		after, err = a.holdings(ctx, fleet)
		back := after.goroutines <= before.goroutines && after.files <= before.files && after.connections <= before.connections
		return back || time.Since(start) > settleTime/2, err
	})
	return after, err
}

// poll calls done until it is, fails, or limit has passed.
func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
