package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// patchSuffix is how the files of mutants end.
const patchSuffix = ".patch"

// mutant is a fault that is brought back by a patch.
type mutant struct {
	// name is that of the patch, without its ending.
	name string
	// fault says what is wrong, in one line.
	fault string
	// patch is the path of the patch.
	patch string
	// files are those that it changes, by their paths from the root of the module, with slashes.
	files []string
	// suites are the tests that must fail, one of a package.
	suites []suite
	// hang is the time after which the tests hang, where that is the symptom; else 0.
	hang time.Duration
	// malformed says why it is no mutant at all; nil if it is one.
	malformed error
}

// suite is some tests of one package.
type suite struct {
	// dir is the package as it is written for Go, such as ./pkg/fanout.
	dir  string
	race bool
	// tests are the names of top-level tests, or that of one subtest; none: all.
	tests []string
}

// String returns the suite as it stands in a patch.
func (s suite) String() string {
	words := []string{s.dir}
	if s.race {
		words = append(words, raceFlag)
	}
	return strings.Join(append(words, s.tests...), " ")
}

// readMutants returns the mutants of a directory whose whole names match, in the order of their names.
func readMutants(dir string, match *regexp.Regexp) ([]mutant, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var mutants []mutant
	for _, file := range files {
		name, isPatch := strings.CutSuffix(file.Name(), patchSuffix)
		if !isPatch || match.FindString(name) != name {
			continue
		}
		path := filepath.Join(dir, file.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m := mutant{name: name, patch: path}
		if err := m.parse(string(text)); err != nil {
			m = mutant{name: name, patch: path, malformed: fmt.Errorf("%w: %w", errMalformed, err)}
		}
		mutants = append(mutants, m)
	}
	if len(mutants) == 0 {
		return nil, fmt.Errorf("no patch in %s matches %s", dir, match)
	}
	return mutants, nil
}

// parse reads what stands before the diff, and which files that changes.
func (m *mutant) parse(text string) error {
	header, diff, _ := strings.Cut(text, "\ndiff --git ")
	for line := range strings.Lines(header) {
		if err := m.read(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	for line := range strings.Lines(diff) {
		if err := m.touch(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	switch {
	case m.fault == "":
		return errors.New("no line says what is wrong: Fault: …")
	case len(m.suites) == 0:
		return errors.New("no line says which tests must fail: Tests: ./package [-race] [TestName…]")
	case len(m.files) == 0:
		return errors.New("it changes no file")
	}
	return nil
}

// raceFlag asks for the race detector, as it does of `go test`.
const raceFlag = "-race"

func (m *mutant) read(line string) (err error) {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "Fault":
		m.fault = value
	case "Hang":
		m.hang, err = time.ParseDuration(value)
	case "Tests":
		words := strings.Fields(value)
		if len(words) == 0 || !strings.HasPrefix(words[0], "./") {
			return fmt.Errorf("%q names no package, such as ./pkg/fanout", line)
		}
		s := suite{dir: words[0], tests: words[1:]}
		if len(s.tests) > 0 && s.tests[0] == raceFlag {
			s.race, s.tests = true, s.tests[1:]
		}
		if len(s.tests) > 1 && strings.Contains(value[len(s.dir):], "/") {
			return fmt.Errorf("%q names a subtest among others: give it a line of its own", line)
		}
		m.suites = append(m.suites, s)
	}
	return err
}

// touch notes the file of a diff. A fault is an edit of what ships: one of a test would prove nothing.
func (m *mutant) touch(line string) error {
	name, ok := strings.CutPrefix(line, "+++ ")
	if !ok {
		return nil
	}
	name, ok = strings.CutPrefix(name, "b/")
	if !ok || !filepath.IsLocal(name) || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
		return fmt.Errorf("%q is no change of a Go file that is not a test", line)
	}
	if !slices.Contains(m.files, name) {
		m.files = append(m.files, name)
	}
	return nil
}
