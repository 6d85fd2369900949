package main

import "time"

// A run is cycles of one length. In each of them clusters fail and callers come and go, then everybody leaves, the whole
// fleet is well again, and what is measured then is comparable to the other cycles.
const (
	cycles   = 15
	minCycle = 5 * time.Second
	maxCycle = 2 * time.Minute
	// shortest is a run of a quiet cycle, and of three with callers.
	shortest = 4 * minCycle
)

// timetable says when what happens, measured from the start of the fleet. The first cycle is quiet: what is measured in
// it is what the others are held against.
type timetable struct {
	cycle time.Duration
	count int
}

func newTimetable(duration time.Duration) timetable {
	cycle := min(max(duration/cycles, minCycle), maxCycle)
	return timetable{cycle: cycle, count: int(duration / cycle)}
}

// start is when a cycle begins; they are numbered from 0.
func (t timetable) start(cycle int) time.Duration { return time.Duration(cycle) * t.cycle }

// faults is for how long of a cycle clusters fail.
func (t timetable) faults() time.Duration { return t.cycle * 6 / 10 }

// calls is for how long of a cycle there are callers.
func (t timetable) calls() time.Duration { return t.cycle * 7 / 10 }

// settling is how long the aggregator is left alone before it is measured: its store forgets within 10 s what it has read.
func (t timetable) settling() time.Duration { return min(t.cycle/10, 12*time.Second) }

// sampling is the time between two samples beside those at rest.
func (t timetable) sampling() time.Duration { return min(t.cycle/4, 5*time.Second) }

// warm is when the warm-up ends: after the first fifth.
func (t timetable) warm() time.Duration { return t.start(t.count) / 5 }

// retention is for how long the aggregator keeps history: it is full when the warm-up ends, and does not grow from then on.
func (t timetable) retention() time.Duration { return t.warm() * 4 / 5 }

// patience is for how much longer than a cycle the aggregator may take to come to rest: after the last one there is time.
func (t timetable) patience(cycle int) time.Duration {
	if cycle < t.count-1 {
		return 0
	}
	return time.Minute
}
