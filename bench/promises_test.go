package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// The rows themselves come only from a run, so that their bounds are read from the source.
func TestPageNamesTheBoundsOfThePromises(t *testing.T) {
	text, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	bound := regexp.MustCompile(`[≤≥] [0-9.]+( (µs|ms|s|MB|GB/s|×))?`)
	told := map[int][]string{}
	for _, line := range regexp.MustCompile(`(?m)^\| (\d+) \|.*\|$`).FindAllStringSubmatch(string(text), -1) {
		number, err := strconv.Atoi(line[1])
		if err != nil {
			t.Fatal(err)
		}
		told[number] = append(told[number], bound.FindAllString(line[0], -1)...)
	}
	held := promises(t)
	if diff := cmp.Diff(held, told); diff != "" {
		t.Errorf("bounds of each promise (-in the cases +on the page):\n%s", diff)
	}
	if numbers := slices.Sorted(maps.Keys(held)); !slices.Equal(numbers, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("the cases have promises %v", numbers)
	}
}

// promises returns the targets of the rows that have a number, in the order of the source.
func promises(t *testing.T) map[int][]string {
	t.Helper()
	files, err := filepath.Glob("case_*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			row, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			fields := map[string]string{}
			for _, e := range row.Elts {
				if field, ok := e.(*ast.KeyValueExpr); ok {
					fields[types.ExprString(field.Key)] = types.ExprString(field.Value)
				}
			}
			if number, err := strconv.Atoi(fields["Number"]); err == nil {
				found[number] = append(found[number], target(t, fields["Target"]).String())
			}
			return true
		})
	}
	return found
}

// target returns the target that an expression of the source makes.
func target(t *testing.T, expression string) report.Target {
	t.Helper()
	parts := regexp.MustCompile(`^report\.(\w+)\(report\.(\w+)\((?:([\d.e]+)|(\w+))(?: \* time\.(\w+))?\)\)$`).FindStringSubmatch(expression)
	if parts == nil {
		t.Fatalf("a row has a number and the target %q, which this test does not understand", expression)
	}
	value := map[string]float64{"strayGoroutines": strayGoroutines, "listAllocations": listAllocations}[parts[4]]
	if parts[3] != "" {
		var err error
		if value, err = strconv.ParseFloat(parts[3], 64); err != nil {
			t.Fatal(err)
		}
	}
	unit := map[string]time.Duration{"Microsecond": time.Microsecond, "Millisecond": time.Millisecond, "Second": time.Second}[parts[5]]
	quantity := map[string]report.Quantity{
		"Duration": report.Duration(time.Duration(value) * unit), "Bytes": report.Bytes(int64(value)), "Times": report.Times(value),
		"Count": report.Count(int(value)), "Rate": report.Rate(value),
	}[parts[2]]
	return map[string]report.Target{"AtMost": report.AtMost(quantity), "AtLeast": report.AtLeast(quantity)}[parts[1]]
}
