package main

import (
	"errors"
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

var (
	// errNotHeld says that the table has a row that does not hold.
	errNotHeld = errors.New("not everything that was judged holds")
	// errUndecided says that it has none, and rows of which it is not known whether they hold.
	errUndecided = errors.New("nothing that was judged fails, but some of it is undecided")
)

// conclude returns errNotHeld, errUndecided, or nil if everything that was judged holds.
func conclude(findings []finding) error {
	var err error
	for _, f := range findings {
		switch {
		case f.verdict == fails:
			return errNotHeld
		case f.verdict.open():
			err = errUndecided
		}
	}
	return err
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
