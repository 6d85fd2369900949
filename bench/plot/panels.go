package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	panelHeight = 130 * vg.Length(0.75)
	// panelPoints bounds what is drawn of a column: no picture shows more.
	panelPoints = 800
)

// drawSeries draws a panel for each column, one below the other over the same time. All begin at 0: what is flat looks flat.
func drawSeries(s series) ([]byte, error) {
	canvas := vgsvg.New(width, panelHeight*vg.Length(len(s.names)))
	tiles := draw.Tiles{Rows: len(s.names), Cols: 1, PadY: 6}
	plots := make([][]*plot.Plot, len(s.names))
	for i, name := range s.names {
		panel, err := panel(name, s.seconds, s.columns[i])
		if err != nil {
			return nil, err
		}
		if i == len(s.names)-1 {
			panel.X.Label.Text = "minutes"
		}
		plots[i] = []*plot.Plot{panel}
	}
	for i, row := range plot.Align(plots, tiles, draw.Crop(draw.New(canvas), margin, -margin, margin, -margin)) {
		plots[i][0].Draw(row[0])
	}
	return bytesOf(canvas)
}

func panel(name string, seconds, values []float64) (*plot.Plot, error) {
	title, divisor, sign := unit(name)
	points := make(plotter.XYs, 0, panelPoints)
	most := 0.0
	for _, i := range thinned(values, panelPoints) {
		points = append(points, plotter.XY{X: seconds[i] / 60, Y: values[i] / divisor})
		most = max(most, values[i]/divisor)
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	line.Color, line.Width = colour(ours), 0.8
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s: at most %.4g%s, at the end %.4g%s", title, most, sign, values[len(values)-1]/divisor, sign)
	p.Title.TextStyle.Font.Size = 10
	p.Add(plotter.NewGrid(), line)
	p.X.Tick.Marker = plot.TickerFunc(minutes)
	p.X.Min, p.X.Max = seconds[0]/60, seconds[len(seconds)-1]/60
	p.Y.Min, p.Y.Max = 0, max(most*1.1, 1)
	return p, nil
}

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

// unit returns how a column is called, and what its values are divided by to get which unit.
func unit(column string) (title string, divisor float64, sign string) {
	if name, found := strings.CutSuffix(column, "_bytes"); found {
		return strings.ReplaceAll(name, "_", " "), 1 << 20, " MiB"
	}
	return strings.ReplaceAll(column, "_", " "), 1, ""
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
