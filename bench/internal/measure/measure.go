// Package measure holds what the benchmarks measure, and the few statistics that they quote.
package measure

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Measurement is one round of one contestant: what a process did, and what that took.
type Measurement struct {
	// Operations is how many times the work was done.
	Operations int `json:"operations"`
	// Wall is the time that the round took.
	Wall time.Duration `json:"wall"`
	// CPU is the processor time of the process in the round, user and system.
	CPU time.Duration `json:"cpu"`
	// PeakRSS is the most memory that the process ever had resident, in bytes.
	PeakRSS int64 `json:"peakRSS"`
}

// CPUPerOperation is the processor time of one operation; 0 if there was none.
func (m Measurement) CPUPerOperation() time.Duration {
	if m.Operations == 0 {
		return 0
	}
	return m.CPU / time.Duration(m.Operations)
}

// Wall returns the wall time of a measurement; it is for Each and MedianOf.
func Wall(m Measurement) time.Duration { return m.Wall }

// CPU returns the processor time of a measurement; it is for Each and MedianOf.
func CPU(m Measurement) time.Duration { return m.CPU }

// PeakRSS returns the most memory of a measurement; it is for Each.
func PeakRSS(m Measurement) int64 { return m.PeakRSS }

// Each returns one property of each of the measurements.
func Each[V any](measurements []Measurement, property func(Measurement) V) []V {
	values := make([]V, len(measurements))
	for i, m := range measurements {
		values[i] = property(m)
	}
	return values
}

// MedianOf returns the median of one property of the measurements.
func MedianOf[V ~int64](measurements []Measurement, property func(Measurement) V) V {
	return Median(Each(measurements, property))
}

// Median returns the value in the middle, for an even number of values the mean of the two there; 0 of none. It leaves
// values as they are.
func Median[V ~int64](values []V) V {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	high := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[high]
	}
	return sorted[high-1] + (sorted[high]-sorted[high-1])/2
}

// Percentile returns the smallest value that at least p percent of the values do not exceed (nearest rank); 0 of none.
func Percentile[V cmp.Ordered](values []V, p float64) V {
	if len(values) == 0 {
		var none V
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Ideal is the least time in which limit workers can do work of these durations: the longest of them, or all of them
// spread evenly.
func Ideal(durations []time.Duration, limit int) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	var sum time.Duration
	for _, d := range durations {
		sum += d
	}
	return max(slices.Max(durations), sum/time.Duration(limit))
}
