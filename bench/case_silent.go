package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// silence is how some clusters of a fleet come and go, and how often they are read meanwhile.
type silence struct {
	clusters, dead int
	latency        time.Duration
	interval       time.Duration // of the probes
	// before is how long the fleet is whole at first; then some of it is silent for a phase, and whole for another.
	before, phase  time.Duration
	cycles, rounds int
}

// scenario has three of ten clusters silent, by turns.
func (s silence) scenario() string {
	return fmt.Sprintf("faults:\n- {clusters: %q, fault: flap, as: blackhole, from: %v, period: %v}\n", silentClusters, s.before, 2*s.phase)
}

// silenceFound is what each way to read took: the p99 of the living, of each round.
type silenceFound struct {
	whole, alone        []time.Duration // nothing is wrong: the fleet, and only those that will live on
	first, known, tried []time.Duration
	told                []time.Duration // from the fault until all of the dead are known
}

func (f *silenceFound) add(other silenceFound) {
	f.whole, f.alone = append(f.whole, other.whole...), append(f.alone, other.alone...)
	f.first, f.known, f.tried = append(f.first, other.first...), append(f.known, other.known...), append(f.tried, other.tried...)
	f.told = append(f.told, other.told...)
}

// benchSilent measures how much later the living clusters of a fleet are read when others are black holes: SYNs are dropped
// and kept connections are silent. It is the time from the beginning of the call, which is what a caller waits.
func benchSilent(ctx context.Context, b *bench) ([]report.Row, error) {
	s := pick(b,
		silence{clusters: 1000, dead: 300, interval: 10 * time.Second, before: 45 * time.Second, phase: time.Minute, cycles: 2, rounds: 5},
		silence{clusters: 40, dead: 12, interval: 2 * time.Second, before: 12 * time.Second, phase: 40 * time.Second, cycles: 1, rounds: 2})
	s.latency = 20 * time.Millisecond
	f, err := b.silentFleet(ctx, s)
	if err != nil {
		return nil, err
	}
	defer f.kill()
	var found silenceFound
	for range s.cycles {
		if err := f.cycle(ctx, s, &found); err != nil {
			return nil, f.process.Failed(err)
		}
	}
	work := fmt.Sprintf("%d clusters of %v, %d black holes: ", s.clusters, s.latency, s.dead)
	floor := report.Median(found.alone)
	return []report.Row{{
		Work:   work + "list of the living, p99",
		Ours:   report.Median(found.known),
		Floor:  floor,
		Target: report.AtMost(report.Times(1.2)),
		Peers: []report.Peer{
			{Name: "with include_unreachable: the dead are tried", Value: report.Median(found.tried)},
			{Name: "the whole fleet while nothing is wrong with it", Value: report.Median(found.whole)},
		},
		Notes: []string{fmt.Sprintf("from the beginning of the call, once the black holes are known to be unreachable; the floor is a call for "+
			"the living alone while nothing is wrong; configmaps, the default limit, warm; the median of %d rounds", len(found.known))},
	}, {
		Work:  work + "the first call after the fault, p99",
		Ours:  report.Median(found.first),
		Floor: floor,
		Notes: []string{fmt.Sprintf("when nothing is known of the fault yet; the watch at %v had told of all %d after %v (the median of %d)",
			s.interval, s.dead, measure.Median(found.told).Round(time.Second/10), s.cycles)},
	}}, nil
}
