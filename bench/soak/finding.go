package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// verdict is what was concluded of a figure.
type verdict string

const (
	holds     verdict = "holds"
	fails     verdict = "does not hold"
	undecided verdict = "undecided: run longer"
	tooShort  verdict = "undecided: too short"
	told      verdict = "" // it is not judged
)

// open reports that nothing could be concluded.
func (v verdict) open() bool { return v == undecided || v == tooShort }

// finding is a line of the table.
type finding struct {
	what, found, limit string
	verdict            verdict
}

// none judges a count that has to be 0.
func none(what string, found int) finding {
	f := finding{what: what, found: strconv.Itoa(found), limit: "0", verdict: holds}
	if found > 0 {
		f.verdict = fails
	}
	return f
}

// allHold reports whether everything that was judged holds.
func allHold(findings []finding) bool {
	for _, f := range findings {
		if f.verdict == fails || f.verdict.open() {
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
