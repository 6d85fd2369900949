package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// table prints a row for each target as it ends, and what has failed when all have.
type table struct {
	w      io.Writer
	width  int // of the widest name
	failed []result
}

func newTable(w io.Writer, targets []target) *table {
	t := &table{w: w, width: len("target")}
	for _, one := range targets {
		t.width = max(t.width, len(one.title()))
	}
	return t
}

// title is the target's name behind the last two folders of its package.
func (t target) title() string {
	parts := strings.Split(t.pkg, "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/") + " " + t.name
}

func (t *table) head() {
	fmt.Fprintf(t.w, "%-*s  %12s  %9s  %9s  %7s  %6s  %s\n", t.width, "target", "inputs", "a second", "new", "known", "time", "result")
}

func (t *table) row(r result) {
	if r.verdict.bad() {
		t.failed = append(t.failed, r)
	}
	fmt.Fprintf(t.w, "%-*s  %12d  %9.0f  %9d  %7d  %6v  %s\n", t.width, r.title(), r.execs, float64(r.execs)/max(r.took.Seconds(), 1),
		r.fresh, r.known, r.took.Round(time.Second), r.verdict)
}

// failures prints what the targets that failed have said, with the input that made them and how to try it again.
func (t *table) failures() {
	for _, r := range t.failed {
		fmt.Fprintf(t.w, "\n--- %s %s\n%s\n", r.verdict, r.title(), strings.Join(r.output, "\n"))
		if input := r.input(); input != "" {
			fmt.Fprintf(t.w, "the input: %s/%s\nagain:     go test -C %s -run='^%s$/^%s$' .\n", r.dir, input, r.dir, r.name, input[strings.LastIndex(input, "/")+1:])
		}
	}
}

// input returns the path of the failing input below the package's folder, empty where there is none.
func (r result) input() string {
	const written = "Failing input written to "
	for _, line := range r.output {
		if _, path, found := strings.Cut(line, written); found {
			return strings.TrimSpace(path)
		}
	}
	return ""
}
