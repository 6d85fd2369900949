package faults_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is where the documented packages are, seen from this one.
const root = "../.."

var (
	proof     = regexp.MustCompile("`([a-z][a-z/]*) ((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	mutant    = regexp.MustCompile("`test/mutants ([^`]+)`")
	measured  = regexp.MustCompile("`bench ([^`]+)`")
	benchCase = regexp.MustCompile(`(?m)^\t\t\{"([a-z]+)", `)
	hazard    = regexp.MustCompile(`^\| (\d+) \|`)
)

// TestEachHazardIsProvenByTestsThatExist holds docs/hazards.md to the tests that there are.
func TestEachHazardIsProvenByTestsThatExist(t *testing.T) {
	t.Parallel()
	packages := map[string]map[string]bool{}
	number, rows := 0, 0
	for line := range strings.Lines(readText(t, "docs", "hazards.md")) {
		proofs := proof.FindAllStringSubmatch(line, -1)
		for _, p := range proofs {
			if packages[p[1]] == nil {
				packages[p[1]] = testsOf(t, filepath.Join(root, p[1]))
			}
			if !packages[p[1]][p[2]] {
				t.Errorf("there is no %s in %s", p[2], p[1])
			}
		}
		if found := hazard.FindStringSubmatch(line); found != nil {
			number++
			if got, err := strconv.Atoi(found[1]); err != nil || got != number {
				t.Errorf("row %s stands where %d should", found[1], number)
			}
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| # ") || strings.HasPrefix(line, "| hazard ") {
			continue
		}
		rows++
		if len(proofs) == 0 && !strings.Contains(line, "not built yet") {
			t.Errorf("nothing proves %s", strings.TrimSpace(line))
		}
	}
	const hazards = 20
	if number != hazards || rows <= hazards {
		t.Errorf("there are %d numbered rows of %d, and %d in all", number, hazards, rows)
	}
}

// TestEachMutantAndBenchmarkOfAHazardExists holds it to these.
func TestEachMutantAndBenchmarkOfAHazardExists(t *testing.T) {
	t.Parallel()
	text := readText(t, "docs", "hazards.md")
	mutants, cases := mutant.FindAllStringSubmatch(text, -1), measured.FindAllStringSubmatch(text, -1)
	if len(mutants) == 0 || len(cases) == 0 {
		t.Errorf("it names %d mutants and %d benchmarks", len(mutants), len(cases))
	}
	for _, m := range mutants {
		if _, err := os.Stat(filepath.Join(root, "test", "mutants", "patches", m[1]+".patch")); err != nil {
			t.Errorf("there is no mutant %s: %v", m[1], err)
		}
	}
	known := benchCase.FindAllStringSubmatch(readText(t, "bench", "cases.go"), -1)
	for _, c := range cases {
		if !slices.ContainsFunc(known, func(k []string) bool { return k[1] == c[1] }) {
			t.Errorf("there is no benchmark %s", c[1])
		}
	}
}

// readText returns a file of the repository.
func readText(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testsOf returns the names of the tests of the package in a directory.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no tests: %v", dir, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
