package measure_test

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMedianIsTheMiddleOrTheMeanOfTheTwoThere(t *testing.T) {
	for _, test := range []struct {
		values []time.Duration
		want   time.Duration
	}{
		{nil, 0},
		{[]time.Duration{7}, 7},
		{[]time.Duration{9, 1, 5}, 5},
		{[]time.Duration{9, 1, 5, 7}, 6},
		{[]time.Duration{1 << 62, 1 << 62}, 1 << 62},
	} {
		given := slices.Clone(test.values)
		if got := measure.Median(given); got != test.want {
			t.Errorf("Median(%v) = %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(given, test.values) {
			t.Errorf("Median changed %v to %v", test.values, given)
		}
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, test := range []struct {
		values []int
		p      float64
		want   int
	}{
		{nil, 99, 0},
		{[]int{3}, 1, 3},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{hundred, 0, 1},
		{[]int{1, 2, 3, 4}, 99, 4},
	} {
		if got := measure.Percentile(test.values, test.p); got != test.want {
			t.Errorf("Percentile(%d values, %v) = %d, want %d", len(test.values), test.p, got, test.want)
		}
	}
}

func TestIdealIsTheLongestOrTheMeanLoad(t *testing.T) {
	even := slices.Repeat([]time.Duration{50 * time.Millisecond}, 100)
	if got := measure.Ideal(even, 10); got != 500*time.Millisecond {
		t.Errorf("100 of 50 ms, 10 at once: %v, want 500ms", got)
	}
	tail := append(slices.Clone(even), 5*time.Second)
	if got := measure.Ideal(tail, 10); got != 5*time.Second {
		t.Errorf("with one of 5 s: %v, want 5s", got)
	}
	if got := measure.Ideal(nil, 10); got != 0 {
		t.Errorf("no work: %v, want 0", got)
	}
}

func TestMeasurementsAreQuotedByTheirMedian(t *testing.T) {
	rounds := []measure.Measurement{
		{Operations: 10, CPU: 100, Wall: 3},
		{Operations: 10, CPU: 300, Wall: 1},
		{Operations: 10, CPU: 200, Wall: 2},
	}
	if got := measure.MedianOf(rounds, measure.Measurement.CPUPerOperation); got != 20 {
		t.Errorf("CPU an operation: %d, want 20", got)
	}
	if got := measure.MedianOf(rounds, measure.Wall); got != 2 {
		t.Errorf("wall: %d, want 2", got)
	}
	if got := (measure.Measurement{CPU: 5}).CPUPerOperation(); got != 0 {
		t.Errorf("CPU an operation of a round without any: %d, want 0", got)
	}
}
