package output

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// The measures of kubectl's tables, in characters.
const (
	minWidth = 6
	padding  = 3
)

// Grid is a table whose columns are as wide as their widest cell.
type Grid struct {
	// Headings are the first line.
	Headings []string
	// NoHeadings leaves the first line out.
	NoHeadings bool
	// MinWidths are what the first columns are wide at least, in characters: grids that are printed one after the other
	// line up with them.
	MinWidths []int
	// Colour returns the SGR parameters, such as "31", in which a cell is shown on a terminal; empty for the terminal's
	// own colour. Nil means no colours.
	Colour func(column int, cell string) string

	rows [][]string
}

// Row adds a line. Cells may come from anywhere: what could change the terminal's state or the table's lines is escaped.
func (g *Grid) Row(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = safetext.Line(cell)
	}
	g.rows = append(g.rows, row)
}

// Write writes the table; one without rows is written as nothing.
func (g *Grid) Write(to io.Writer) error {
	if len(g.rows) == 0 {
		return nil
	}
	rows := g.rows
	if !g.NoHeadings {
		headings := make([]string, len(g.Headings))
		for i, h := range g.Headings {
			headings[i] = safetext.Line(h)
		}
		rows = append([][]string{headings}, rows...)
	}
	widths := g.widths(rows)
	w := bufio.NewWriter(to)
	for i, row := range rows {
		line := g.line(row, widths, g.Colour != nil && (g.NoHeadings || i > 0))
		if _, err := w.WriteString(line); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (g *Grid) widths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, minWidth-padding)
				if i < len(g.MinWidths) {
					widths[i] = max(widths[i], g.MinWidths[i])
				}
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func (g *Grid) line(row []string, widths []int, coloured bool) string {
	var line strings.Builder
	for i, cell := range row {
		colour := ""
		if coloured {
			colour = g.Colour(i, cell)
		}
		if colour != "" {
			line.WriteString("\x1b[" + colour + "m")
		}
		line.WriteString(cell)
		if colour != "" {
			line.WriteString("\x1b[0m")
		}
		if i < len(row)-1 {
			line.WriteString(strings.Repeat(" ", widths[i]+padding-utf8.RuneCountInString(cell)))
		}
	}
	line.WriteByte('\n')
	return line.String()
}
