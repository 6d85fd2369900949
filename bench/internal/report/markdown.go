package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/machine"
)

// The lines of a page between which its table stands.
const (
	markdownBegin = "<!-- the table: make bench-docs -->\n"
	markdownEnd   = "<!-- the end of the table -->\n"
)

// errNoPlace says that a page has no table to be replaced.
var errNoPlace = errors.New("the page has no place for the table: two comments that make bench-docs looks for")

// Page is a page in Markdown that holds a table between two lines of its own.
type Page struct{ before, after []byte }

// ParsePage finds the place of the table in the text of a page.
func ParsePage(text []byte) (Page, error) {
	before, rest, begun := bytes.Cut(text, []byte(markdownBegin))
	_, after, ended := bytes.Cut(rest, []byte(markdownEnd))
	if !begun || !ended {
		return Page{}, errNoPlace
	}
	return Page{bytes.Clone(before), bytes.Clone(after)}, nil
}

// Write writes the page with these rows as its table, and says where and when they were measured.
func (p Page) Write(w io.Writer, m machine.Machine, began time.Time, rows []Row) error {
	var page bytes.Buffer // it takes everything
	page.Write(p.before)
	fmt.Fprintf(&page, "%s\n%s: %s.\n%s\n```\n", markdownBegin, began.UTC().Format(time.DateOnly), m, busy(m))
	if err := writeTable(&page, rows, Row.Verdict); err != nil {
		return err
	}
	page.WriteString("```\n\n")
	for _, r := range rows {
		for _, note := range r.Notes {
			fmt.Fprintf(&page, "- **%s**: %s.\n", r.Work, note)
		}
	}
	fmt.Fprintf(&page, "\n%s", markdownEnd)
	page.Write(p.after)
	_, err := w.Write(page.Bytes())
	return err
}
