package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// verdict is what was concluded of a figure.
type verdict string

const (
	holds     verdict = "holds"
	fails     verdict = "does not hold"
	undecided verdict = "undecided: run longer"
	told      verdict = "" // it is not judged
)

// finding is a line of the table.
type finding struct {
	what, found, limit string
	verdict            verdict
}

// atMost judges a count by its bound.
func atMost(what string, found, most int) finding {
	f := finding{what: what, found: fmt.Sprint(found), limit: fmt.Sprintf("≤ %d", most), verdict: holds}
	if found > most {
		f.verdict = fails
	}
	return f
}

// allHold reports whether everything that was judged holds.
func allHold(findings []finding) bool {
	for _, f := range findings {
		if f.verdict == fails || f.verdict == undecided {
			return false
		}
	}
	return true
}

// write prints the table.
func write(w io.Writer, findings []finding) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tfound\tlimit\t") // the Flush reports what fails
	for _, f := range findings {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.what, f.found, f.limit, f.verdict) // likewise
	}
	return table.Flush()
}
