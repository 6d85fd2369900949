package main

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// minutes marks time in steps that people count in, eleven of them at most.
func minutes(from, to float64) []plot.Tick {
	step := 1.0
	for _, s := range []float64{0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440} {
		if step = s; (to-from)/s <= 10 {
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(from / step); i*step <= to; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'g', 6, 64)})
	}
	return ticks
}

// silent marks as minutes does, without a number: a mark without a label would have no line of the grid.
func silent(from, to float64) []plot.Tick {
	ticks := minutes(from, to)
	for i := range ticks {
		ticks[i].Label = " "
	}
	return ticks
}

// steps marks values at four places at most, which are round.
func steps(from, to float64) []plot.Tick {
	power := math.Pow(10, math.Floor(math.Log10((to-from)/4)))
	step := power
	for _, times := range []float64{1, 2, 5, 10} {
		if step = times * power; (to-from)/step <= 4 {
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(from / step); i*step <= to; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'f', -1, 64)})
	}
	return ticks
}

// thinned returns the indices of at most n values that show what all show: the least and the most of each stretch.
func thinned(values []float64, n int) []int {
	var indices []int
	stretch := (2*len(values) + n - 1) / n
	for from := 0; from < len(values); from += stretch {
		least, most := from, from
		for i := from; i < min(from+stretch, len(values)); i++ {
			if values[i] < values[least] {
				least = i
			}
			if values[i] > values[most] {
				most = i
			}
		}
		indices = append(indices, min(least, most))
		if least != most {
			indices = append(indices, max(least, most))
		}
	}
	return indices
}
