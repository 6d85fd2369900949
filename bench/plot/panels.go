package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	panelHeight = 112 * vg.Length(0.75)
	// headHeight is that of the title and of the line below it.
	headHeight = 48 * vg.Length(0.75)
	// linePoints and dotPoints bound what is drawn of a column: no picture shows more.
	linePoints = 800
	dotPoints  = 200
)

// panel is what is drawn of a column.
type panel struct {
	column, title string
	unit          unit
	// between tells that what is between the rests is drawn too.
	between bool
}

// unit is what is written behind values.
type unit string

const (
	pieces    unit = ""
	mebibytes unit = " MiB"
)

// size is what values are divided by.
func (u unit) size() float64 {
	if u == mebibytes {
		return 1 << 20
	}
	return 1
}

// panels are drawn from the top. The heap comes first, for it is what takes long to judge, and at the rests alone: between
// them it has what callers need.
func panels() []panel {
	return []panel{
		{"judged_heap_bytes", "live heap beside the store's buffers", mebibytes, false},
		{"rss_bytes", "resident memory", mebibytes, true},
		{"goroutines", "goroutines", pieces, true},
		{"open_files", "open files", pieces, true},
		{"connections", "connections", pieces, true},
		{"store_bytes", "store on disk", mebibytes, true},
		{"watchers", "watchers", pieces, true},
		{"visits", "visits of callers so far", pieces, true},
	}
}

// drawRests draws the panels of a soak, one below the other over the same time, with its rests as dots. All begin at 0: what
// is flat looks flat.
func drawRests(s series) ([]byte, error) {
	rests, err := s.rests()
	if err != nil {
		return nil, err
	}
	clusters, err := s.column("clusters")
	if err != nil {
		return nil, err
	}
	all := panels()
	plots := make([][]*plot.Plot, len(all))
	for i, p := range all {
		drawn, err := p.draw(s, rests)
		if err != nil {
			return nil, err
		}
		if i < len(all)-1 {
			hide(&drawn.X)
		} else {
			drawn.X.Label.Text = "minutes"
		}
		plots[i] = []*plot.Plot{drawn}
	}
	canvas := vgsvg.New(width, headHeight+panelHeight*vg.Length(len(all)))
	page := draw.Crop(draw.New(canvas), margin, -margin, margin, -margin)
	tiles := draw.Tiles{Rows: len(all), Cols: 1, PadY: 8}
	for i, row := range plot.Align(plots, tiles, draw.Crop(page, 0, 0, 0, -headHeight)) {
		plots[i][0].Draw(row[0])
	}
	head(page, fmt.Sprintf("Soak: %.1f minutes, %.0f clusters, %d rests", s.seconds[len(s.seconds)-1]/60, clusters[rests[len(rests)-1]], len(rests)),
		"Dots are the rests: nobody calls, and the whole fleet is well. They are what is judged; lines are what is between them.")
	return bytesOf(canvas)
}

// rests returns the indices of the rows at rest.
func (s series) rests() (indices []int, err error) {
	rest, err := s.column("rest")
	if err != nil {
		return nil, err
	}
	for i, at := range rest {
		if at > 0 {
			indices = append(indices, i)
		}
	}
	if len(indices) == 0 {
		return nil, errors.New("the run has not come to a rest")
	}
	return indices, nil
}

// hide leaves of the axis of time the lines of the grid: its numbers are below the last panel.
func hide(axis *plot.Axis) {
	axis.Width, axis.Tick.Width, axis.Tick.Length, axis.Tick.Label.Font.Size = 0, 0, 0, 1
	axis.Tick.Marker = plot.TickerFunc(silent)
}

// head writes the title of the picture and a line below it.
func head(page draw.Canvas, title, line string) {
	style := plot.New().Title.TextStyle
	style.XAlign, style.YAlign = text.XLeft, text.YTop
	style.Font.Size = 13
	page.FillText(style, vg.Point{X: page.Min.X, Y: page.Max.Y}, title)
	style.Font.Size = 9
	page.FillText(style, vg.Point{X: page.Min.X, Y: page.Max.Y - 18}, line)
}

func (p panel) draw(s series, rests []int) (*plot.Plot, error) {
	values, err := s.column(p.column)
	if err != nil {
		return nil, err
	}
	atRest := make([]float64, 0, len(rests))
	for _, i := range rests {
		atRest = append(atRest, values[i])
	}
	drawn, most := plot.New(), slices.Max(atRest)
	drawn.Title.Text = p.title + ": at rest " + p.unit.between(slices.Min(atRest), most)
	drawn.Add(plotter.NewGrid())
	if p.between {
		most = slices.Max(values)
		drawn.Title.Text += ", at most " + p.unit.of(most)
		line, err := plotter.NewLine(p.points(s.seconds, values, thinned(values, linePoints)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.column, err)
		}
		line.Color, line.Width = colour(peer), 0.6
		drawn.Add(line)
	}
	var few []int
	for _, i := range thinned(atRest, dotPoints) {
		few = append(few, rests[i])
	}
	dots, err := plotter.NewScatter(p.points(s.seconds, values, few))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.column, err)
	}
	dots.Shape, dots.Radius, dots.Color = draw.CircleGlyph{}, 1.8, colour(ours)
	drawn.Add(dots)
	drawn.Title.TextStyle.Font.Size = 10
	for _, axis := range []*plot.Axis{&drawn.X, &drawn.Y} {
		axis.Tick.Label.Font.Size, axis.Label.TextStyle.Font.Size = 8, 9
	}
	drawn.X.Tick.Marker = plot.TickerFunc(minutes)
	drawn.X.Min, drawn.X.Max = 0, s.seconds[len(s.seconds)-1]/60
	drawn.Y.Tick.Marker = plot.TickerFunc(steps)
	drawn.Y.Min, drawn.Y.Max = 0, max(most/p.unit.size()*1.1, 1)
	return drawn, nil
}

// points are some values over minutes.
func (p panel) points(seconds, values []float64, indices []int) plotter.XYs {
	points := make(plotter.XYs, 0, len(indices))
	for _, i := range indices {
		points = append(points, plotter.XY{X: seconds[i] / 60, Y: values[i] / p.unit.size()})
	}
	return points
}

func (u unit) of(value float64) string {
	if u == pieces {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return fmt.Sprintf("%.1f%s", value/u.size(), u)
}

// between is a range, or a value where it is one.
func (u unit) between(least, most float64) string {
	if u.of(least) == u.of(most) {
		return u.of(most)
	}
	return strings.TrimSuffix(u.of(least), string(u)) + " to " + u.of(most)
}
