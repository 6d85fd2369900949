package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/soak/internal/trend"
)

const (
	// maxHeapSlope is by how much the live heap may grow, in bytes an hour.
	maxHeapSlope = 1 << 20
	// tolerance is how many goroutines, files or connections more than before are none: probes that are under way.
	tolerance = 5
	// asking is how many goroutines stay for the next work at most while anything is asked. Of those that probe up to probing
	// stay that were needed within two intervals, which is as long as a short run has callers.
	asking, probing = 64, 128
	// Growth is judged of no less: of a few minutes it would be multiplied to that of an hour with all its noise.
	fewestRests = 12
	leastTime   = 10 * time.Minute
)

// judge holds the samples at rest of a whole run against each other: the first one was taken before the first caller came,
// the first ones count as warm-up.
func judge(rest []sample, t timetable) []finding {
	var after []sample
	for _, s := range rest {
		if s.at >= t.warm() {
			after = append(after, s)
		}
	}
	short := len(rest) < fewestRests || t.start(t.count) < leastTime
	pooled := int64(asking)
	if short {
		pooled += probing
	}
	findings := []finding{judgeSlope(byBuffers(after), t.start(t.count), short)}
	flats := []struct {
		name string
		// pooled is how much of what callers needed may stay for the next ones.
		pooled int64
		value  func(sample) int64
	}{
		{"goroutines", pooled, func(s sample) int64 { return int64(s.goroutines) }},
		{"open files", 0, func(s sample) int64 { return int64(s.files) }},
		{"connections", 0, func(s sample) int64 { return int64(s.connections) }},
	}
	for _, flat := range flats {
		findings = append(findings, judgeFlat(flat.name, series(after, flat.value), short))
	}
	for _, flat := range flats {
		findings = append(findings, judgeReturn(flat.name, rest, flat.pooled, flat.value))
	}
	return append(findings,
		describe("resident memory at rest", series(after, func(s sample) int64 { return s.rss })),
		describe("store on disk at rest", series(after, func(s sample) int64 { return s.disk })))
}

// byBuffers returns the heap of the rests, each among those with store buffers of the same size: how large a buffer is cannot be
// told from its file while a block is new, and what is wrong by that is the same in all of a group.
func byBuffers(samples []sample) (groups [][]trend.Point) {
	same := map[int64][]sample{}
	for _, s := range samples {
		same[s.buffers] = append(same[s.buffers], s)
	}
	for _, buffers := range slices.Sorted(maps.Keys(same)) {
		groups = append(groups, series(same[buffers], func(s sample) int64 { return s.own }))
	}
	return groups
}

func series(samples []sample, value func(sample) int64) []trend.Point {
	points := make([]trend.Point, 0, len(samples))
	for _, s := range samples {
		points = append(points, trend.Point{At: s.at, Value: float64(value(s))})
	}
	return points
}

// judgeSlope concludes only what is certain: where the limit lies between the bounds of the slope, nothing but how long the
// run would have to be.
func judgeSlope(groups [][]trend.Point, took time.Duration, short bool) finding {
	f := finding{what: "live heap beside the store's buffers: growth", limit: fmt.Sprintf("< %.2f MiB/h", mebibytes(maxHeapSlope)), verdict: undecided}
	slope, ok := trend.TheilSen(groups...)
	if !ok || short {
		f.found, f.verdict = fmt.Sprintf("%d points", len(slices.Concat(groups...))), tooShort
		return f
	}
	mib := func(bytes float64) float64 { return bytes / (1 << 20) }
	f.found = fmt.Sprintf("%+.2f MiB/h (%+.2f to %+.2f)", mib(slope.PerHour), mib(slope.Low), mib(slope.High))
	switch {
	case slope.High < maxHeapSlope:
		f.verdict = holds
	case slope.Low >= maxHeapSlope:
		f.verdict = fails
	default:
		f.found += fmt.Sprintf("; some %.1f h would decide", took.Hours()*slope.Longer(maxHeapSlope))
	}
	return f
}

func judgeFlat(name string, points []trend.Point, short bool) finding {
	f := finding{what: name + ": last third beyond the first", limit: fmt.Sprintf("≤ %d", tolerance)}
	growth, ok := trend.Thirds(points)
	if !ok || short {
		f.found, f.verdict = fmt.Sprintf("%d points", len(points)), tooShort
		return f
	}
	f.found = fmt.Sprintf("%+.0f (%.0f, %.0f)", growth.By(), growth.First, growth.Last)
	f.verdict = holds
	if growth.By() > tolerance {
		f.verdict = fails
	}
	return f
}

// judgeReturn holds the last rest, when all callers have left for good, against the one before they came.
func judgeReturn(name string, rest []sample, pooled int64, value func(sample) int64) finding {
	most := tolerance + pooled
	f := finding{what: name + ": more than before the first caller", limit: fmt.Sprintf("≤ %d", most), verdict: undecided, found: "not measured"}
	if len(rest) < 2 || rest[0].visits > 0 {
		return f
	}
	before, after := value(rest[0]), value(rest[len(rest)-1])
	f.found = fmt.Sprintf("%+d (%d, %d)", after-before, before, after)
	f.verdict = holds
	if after-before > most {
		f.verdict = fails
	}
	return f
}

// describe tells what is not judged: memory that Go has not given back yet, and a store that is written in blocks.
func describe(what string, points []trend.Point) finding {
	growth, ok := trend.Thirds(points)
	if !ok {
		return finding{what: what, found: fmt.Sprintf("%d points", len(points)), verdict: told}
	}
	return finding{what: what, found: fmt.Sprintf("%.1f MiB, then %.1f MiB", growth.First/(1<<20), growth.Last/(1<<20)), verdict: told}
}
