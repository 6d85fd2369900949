package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/clusterfleet/clusterfleet/bench/internal/machine"
)

// Write prints the rows as one table, the peers below their row, then on what machine that was, and the notes. Of a short
// run only those rows are judged that must hold, and its head says why.
func Write(w io.Writer, m machine.Machine, short bool, rows []Row) error {
	if short {
		if _, err := fmt.Fprintln(w, "A quick run, to see that everything works: its figures say little, and only rows that must hold are judged."); err != nil {
			return err
		}
	}
	if err := writeTable(w, rows, judge(short)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\n%s.\n%s", m, busy(m)); err != nil {
		return err
	}
	return writeNotes(w, rows)
}

// busy is a line that warns of figures from a machine that did other things as well; empty if it did not.
func busy(m machine.Machine) string {
	if !m.Busy() {
		return ""
	}
	return "Warning: the machine was busy when the run began, with more than one program a core. Measure again when it is idle.\n"
}

func writeTable(w io.Writer, rows []Row, verdict func(Row) Verdict) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(table, "#", "work", "ours", "floor", "ratio", "target")
	for _, r := range rows {
		multiple, _ := r.Ratio()
		line(table, number(r.Number), r.Work, r.Ours.String(), r.Floor.String(), multiple.String(), r.Target.String(), string(verdict(r)))
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
