package main

import (
	"bytes"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width      = 860 * vg.Length(0.75) // CSS pixels
	lineHeight = 20 * vg.Length(0.75)
	frame      = 80 * vg.Length(0.75) // title and axis
	margin     = 8 * vg.Length(0.75)
)

// colour tells who a value belongs to. The three differ in lightness too.
func colour(who int) color.Color {
	switch who {
	case ours:
		return color.NRGBA{0x1f, 0x5f, 0xbf, 0xff}
	case floor:
		return color.NRGBA{0x40, 0x40, 0x40, 0xff}
	}
	return color.NRGBA{0xd9, 0x8c, 0x3f, 0xff}
}

func drawRatios(title string, groups []group) ([]byte, error) {
	p := lines(groups, title, 1)
	p.X.Label.Text = "times the floor, logarithmic"
	return encode(p, groups)
}

func drawMemory(title string, groups []group) ([]byte, error) {
	p := lines(groups, title, leastIn(groups)/2)
	p.X.Label.Text = "MB, logarithmic"
	return encode(p, groups)
}

func drawRounds(title string, groups []group) ([]byte, error) {
	p := lines(groups, title, 0)
	p.X.Label.Text = "each round as a multiple of what the table quotes"
	return encode(p, groups)
}

// lines lays groups out from the top, a line each for the heading and the entries. Bars begin at base; without one, each
// value is a dot.
func lines(groups []group, title string, base float64) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font.Size = 12
	least, most := span(groups, base)
	if base > 0 {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(powers)
	}
	p.X.Min, p.X.Max = least, most
	p.Y.Min, p.Y.Max = -float64(height(groups))-0.5, 0.5
	p.Y.Width, p.Y.Tick.Width = 0, 0
	p.Y.Padding = 0
	p.Add(plotter.NewGrid())
	var names []plot.Tick
	y := 0.0
	for _, g := range groups {
		p.Add(label{x: least, y: y, text: g.heading, colour: color.Black})
		y--
		for _, e := range g.entries {
			names = append(names, plot.Tick{Value: y, Label: e.name})
			p.Add(mark{entry: e, y: y, base: base})
			y--
		}
		y -= 0.5
	}
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	return p
}

// height is how many lines groups take.
func height(groups []group) int {
	n := 0.0
	for _, g := range groups {
		n += float64(len(g.entries)) + 1.5
	}
	return int(math.Ceil(n))
}

// span is the range of the values, with room for what is written beside them.
func span(groups []group, base float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	if base > 0 {
		least, most = base, base
	}
	for _, g := range groups {
		for _, e := range g.entries {
			for _, v := range e.values {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	room := math.Pow(max(most/least, 1.2), 0.12)
	return least / math.Sqrt(room), most * room
}

func leastIn(groups []group) float64 {
	least := math.Inf(1)
	for _, g := range groups {
		for _, e := range g.entries {
			least = min(least, e.values[0])
		}
	}
	return least
}

// powers marks powers of ten and, where these are few, what is between them.
func powers(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	steps := []float64{1, 2, 5}
	if most/least > 1000 {
		steps = []float64{1}
	}
	for power := math.Floor(math.Log10(least)); power <= math.Ceil(math.Log10(most)); power++ {
		for _, step := range steps {
			v := step * math.Pow(10, power)
			if v >= least && v <= most {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
			}
		}
	}
	return ticks
}

// label is text at a place of the picture, left-aligned.
type label struct {
	x, y   float64
	text   string
	colour color.Color
}

// Plot draws it.
func (l label) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := p.X.Tick.Label
	style.XAlign, style.YAlign, style.Color = text.XLeft, text.YCenter, l.colour
	c.FillText(style, vg.Point{X: x(l.x), Y: y(l.y)}, l.text)
}

// mark is a bar, or a dot for each value.
type mark struct {
	entry

	y, base float64
}

// Plot draws it.
func (m mark) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if m.base == 0 {
		for _, v := range m.values {
			c.DrawGlyph(draw.GlyphStyle{Color: colour(m.who), Radius: 2.2, Shape: draw.CircleGlyph{}}, vg.Point{X: x(v), Y: y(m.y)})
		}
		return
	}
	from, to := x(m.base), x(m.values[0])
	if to-from < 1 && to-from > -1 {
		to = from + 1 // that there is a bar should be seen
	}
	top, bottom := y(m.y+0.36), y(m.y-0.36)
	c.FillPolygon(colour(m.who), []vg.Point{{X: from, Y: bottom}, {X: to, Y: bottom}, {X: to, Y: top}, {X: from, Y: top}})
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = text.XLeft, text.YCenter
	c.FillText(style, vg.Point{X: max(from, to) + 4, Y: y(m.y)}, m.text)
}

// encode draws a picture of groups as SVG.
func encode(p *plot.Plot, groups []group) ([]byte, error) {
	canvas := vgsvg.New(width, frame+lineHeight*vg.Length(height(groups)))
	p.Draw(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin))
	return bytesOf(canvas)
}

func bytesOf(canvas *vgsvg.Canvas) ([]byte, error) {
	var svg bytes.Buffer
	_, err := canvas.WriteTo(&svg)
	// Arial has the same widths, and one of them is everywhere.
	return bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), err
}
