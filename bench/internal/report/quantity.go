package report

import (
	"math"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
)

// Unit is what a Quantity counts.
type Unit int

// The units. None is that of a quantity that is not there.
const (
	None Unit = iota
	Second
	Byte
	Multiple
	Piece
	BytePerSecond
)

// Quantity is a number with its unit.
type Quantity struct {
	Value float64
	Unit  Unit
	// Rounds are the values that Value sums up, in the order in which they were measured; none if there is only one.
	Rounds []float64
}

// Duration is a quantity of time.
func Duration(d time.Duration) Quantity { return Quantity{Value: d.Seconds(), Unit: Second} }

// Bytes is an amount of memory or data.
func Bytes(n int64) Quantity { return Quantity{Value: float64(n), Unit: Byte} }

// Times is a multiple of something else.
func Times(x float64) Quantity { return Quantity{Value: x, Unit: Multiple} }

// Count is a number of things.
func Count(n int) Quantity { return Quantity{Value: float64(n), Unit: Piece} }

// Rate is an amount of data a second.
func Rate(bytesPerSecond float64) Quantity {
	return Quantity{Value: bytesPerSecond, Unit: BytePerSecond}
}

// Median is the median of what rounds took, and keeps them.
func Median(rounds []time.Duration) Quantity {
	q := Duration(measure.Median(rounds))
	for _, d := range rounds {
		q.Rounds = append(q.Rounds, d.Seconds())
	}
	return q
}

// MedianRate is the median of the rates of rounds, in bytes a second, and keeps them.
func MedianRate(rounds []int64) Quantity {
	q := Rate(float64(measure.Median(rounds)))
	for _, n := range rounds {
		q.Rounds = append(q.Rounds, float64(n))
	}
	return q
}

// Most is the most memory that any round had, and keeps them.
func Most(rounds []int64) Quantity {
	q := Bytes(0)
	for _, n := range rounds {
		q.Value = max(q.Value, float64(n))
		q.Rounds = append(q.Rounds, float64(n))
	}
	return q
}

// scale is a unit as it is printed: a value of at least from is divided by it and gets the sign.
type scale struct {
	from     float64
	divisor  float64
	sign     string
	decimals int
}

func (u Unit) scales() []scale {
	switch u {
	case Second:
		// Seconds from a tenth on: milliseconds would hide how near half a second is.
		return []scale{{10, 1, " s", 1}, {0.1, 1, " s", 3}, {1e-3, 1e-3, " ms", 1}, {0, 1e-6, " µs", 1}}
	case Byte:
		return []scale{{1e9, 1e9, " GB", 2}, {1e6, 1e6, " MB", 0}, {1e3, 1e3, " kB", 1}, {0, 1, " B", 0}}
	case Multiple:
		return []scale{{0, 1, " ×", 2}}
	case Piece:
		return []scale{{0, 1, "", 0}}
	case BytePerSecond:
		return []scale{{1e9, 1e9, " GB/s", 2}, {0, 1e6, " MB/s", 0}}
	case None:
	}
	return nil
}

// String returns the name of the unit, as JSON has it; nothing for None.
func (u Unit) String() string {
	return [...]string{None: "", Second: "s", Byte: "B", Multiple: "×", Piece: "pieces", BytePerSecond: "B/s"}[u]
}

// String returns the quantity in the unit that suits its size, such as 22.4 µs or 147 MB; nothing for None.
func (q Quantity) String() string {
	s, ok := q.scale()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(q.Value/s.divisor, 'f', s.decimals, 64) + s.sign
}

// bound returns the quantity without digits that say nothing: bounds are round.
func (q Quantity) bound() string {
	s, _ := q.scale()
	return strconv.FormatFloat(q.Value/s.divisor, 'g', 6, 64) + s.sign
}

func (q Quantity) scale() (scale, bool) {
	for _, s := range q.Unit.scales() {
		if math.Abs(q.Value) >= s.from {
			return s, true
		}
	}
	return scale{}, false
}
