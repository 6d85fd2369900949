package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// table tells of each mutant in a line, when it is done, and at the end of those that were not killed.
type table struct {
	w       io.Writer
	mutants []mutant
	width   int // of the longest name
	spared  []fanout.Result[mutant, []string]
}

func newTable(w io.Writer, mutants []mutant) *table {
	t := &table{w: w, mutants: mutants}
	for _, m := range mutants {
		t.width = max(t.width, len(m.name))
	}
	return t
}

// list tells what is wrong in each mutant.
func (t *table) list() {
	for _, m := range t.mutants {
		fmt.Fprintf(t.w, "%-*s  %s\n", t.width, m.name, m.fault)
		for _, s := range m.suites {
			fmt.Fprintf(t.w, "%-*s    %s\n", t.width, "", s)
		}
	}
}

func (t *table) begin(baseline time.Duration) {
	fmt.Fprintf(t.w, "without any fault the tests pass (%.1f s)\n\n%-*s  %7s  %s\n", baseline.Seconds(), t.width, "MUTANT", "SECONDS", "TESTS: KILLED BY")
}

func (t *table) add(r fanout.Result[mutant, []string]) {
	var ending string
	if r.Err != nil {
		t.spared = append(t.spared, r)
		ending, _, _ = strings.Cut(r.Err.Error(), ":")
	} else {
		tests := make([]string, len(r.Value))
		for i, killer := range r.Value {
			tests[i] = r.Key.suites[i].dir + ": " + killer
		}
		ending = strings.Join(tests, ", ")
	}
	fmt.Fprintf(t.w, "%-*s  %7.1f  %s\n", t.width, r.Key.name, r.Took.Seconds(), ending)
}

// end tells more of those that were not killed, and fails if there are any.
func (t *table) end(took time.Duration) error {
	for _, r := range t.spared {
		fmt.Fprintf(t.w, "\n--- %s\nFault: %s\n%v\n", r.Key.name, r.Key.fault, r.Err)
	}
	fmt.Fprintf(t.w, "\n%d of %d mutants killed in %.0f s\n", len(t.mutants)-len(t.spared), len(t.mutants), took.Seconds())
	if len(t.spared) > 0 {
		return fmt.Errorf("%d of %d mutants were not killed", len(t.spared), len(t.mutants))
	}
	return nil
}
