package health

import (
	"math"
	"slices"
	"time"
)

// windowSize is how many durations a [Window] holds.
const windowSize = 100

// Window holds the durations of the last 100 successful probes, in whole microseconds. The zero value is empty. It is for
// one goroutine at a time.
type Window struct {
	micros  [windowSize]uint32
	next, n uint8
}

// Add adds a duration in place of the oldest. One that is negative counts as 0, one of more than 71 minutes as that.
func (w *Window) Add(d time.Duration) {
	w.micros[w.next] = uint32(min(max(d.Microseconds(), 0), math.MaxUint32))
	w.next = (w.next + 1) % windowSize
	w.n = min(w.n+1, windowSize)
}

// Quantiles returns the nearest-rank quantiles: each is one of the durations.
func (w *Window) Quantiles() Quantiles {
	if w.n == 0 {
		return Quantiles{}
	}
	sorted := w.micros
	slices.Sort(sorted[:w.n])
	rank := func(percent int) time.Duration {
		at := (percent*int(w.n)+99)/100 - 1
		return time.Duration(sorted[at]) * time.Microsecond
	}
	return Quantiles{P50: rank(50), P90: rank(90), P99: rank(99), N: int(w.n)}
}
