package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Write prints the rows as one table, the peers below their row, and then the notes.
func Write(w io.Writer, rows []Row) error {
	if err := writeTable(w, rows); err != nil {
		return err
	}
	return writeNotes(w, rows)
}

func writeTable(w io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(table, "#", "work", "ours", "floor", "ratio", "target")
	for _, r := range rows {
		multiple, _ := r.Ratio()
		line(table, number(r.Number), r.Work, r.Ours.String(), r.Floor.String(), multiple.String(), r.Target.String(), string(r.Verdict()))
		for _, p := range r.Peers {
			multiple, _ := ratio(p.Value, r.Floor)
			line(table, "", "  · "+p.Name, p.Value.String(), "", multiple.String(), "", p.Note)
		}
	}
	return table.Flush()
}

// line prints one line without blanks at its end; the Flush of the table reports what fails.
func line(w io.Writer, cells ...string) {
	last := len(cells)
	for last > 1 && cells[last-1] == "" {
		last--
	}
	fmt.Fprintln(w, strings.Join(cells[:last], "\t"))
}

// number is nothing for a row that is not among the promised ones.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func writeNotes(w io.Writer, rows []Row) error {
	for _, r := range rows {
		for _, note := range r.Notes {
			if _, err := fmt.Fprintf(w, "\n%s: %s", r.Work, note); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}
