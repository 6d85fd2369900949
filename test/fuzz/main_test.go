package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module writes a module with four targets: one that is good, one that fails as soon as it is given something long, one
// whose first input never ends, and one that wants a GiB.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const head = "package p\n\nimport \"testing\"\n\n"
	for name, text := range map[string]string{
		"go.mod":     "module example.test/p\n\ngo 1.26\n",
		"p.go":       "package p\n",
		"a_test.go":  head + "func FuzzGood(f *testing.F) {\n\tf.Add([]byte(`x`))\n\tf.Fuzz(func(*testing.T, []byte) {})\n}\n",
		"b_test.go":  head + "func FuzzBad(f *testing.F) {\n\tf.Add([]byte(`x`))\n\tf.Fuzz(func(t *testing.T, b []byte) {\n\t\tif len(b) > 1 {\n\t\t\tt.Error(`it is long`)\n\t\t}\n\t})\n}\n",
		"c_test.go":  "package p_test\n\nimport \"testing\"\n\nfunc FuzzHanging(f *testing.F) {\n\tf.Add([]byte(`x`))\n\tf.Fuzz(func(*testing.T, []byte) { select {} })\n}\n\nfunc fuzzed() {}\n",
		"d_test.go":  head + "func FuzzHungry(f *testing.F) {\n\tf.Add([]byte(`x`))\n\tf.Fuzz(func(t *testing.T, _ []byte) {\n\t\tfor b := make([]byte, 1<<30); len(b) > 0; b = b[4096:] {\n\t\t\tb[0] = 1\n\t\t}\n\t})\n}\n",
		"q/q.go":     "// Package q has a function that is no target.\npackage q\n\nfunc FuzzNot() {}\n",
		"fuzz_no.go": "package p\n\nfunc FuzzNeither() {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTargetsAreFoundInTheTestsOfAllPackages(t *testing.T) {
	dir := module(t)
	for pattern, want := range map[string][]string{"": {"FuzzGood", "FuzzBad", "FuzzHungry", "FuzzHanging"}, "^FuzzB|ging": {"FuzzBad", "FuzzHanging"}, "Not": nil} {
		found, err := find(t.Context(), dir, regexp.MustCompile(pattern))
		var names []string
		for _, one := range found {
			names = append(names, one.name)
			if one.pkg != "example.test/p" || one.dir != dir {
				t.Errorf("%+v", one)
			}
		}
		if diff := cmp.Diff(want, names); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", pattern, err, diff)
		}
	}
}

func TestEachTargetIsFuzzedAndWhatFailsIsToldWithItsInput(t *testing.T) {
	dir := module(t)
	t.Setenv("TMPDIR", t.TempDir())
	var out, errs strings.Builder
	err := run(t.Context(), []string{"-time", "8s", "-stall", "5s", "-memory", "512", dir}, &out, &errs)
	if err == nil || err.Error() != "3 of 4 targets failed or were not fuzzed" {
		t.Errorf("error %v", err)
	}
	said := out.String()
	for name, want := range map[string]string{"FuzzGood": "ok", "FuzzBad": "FAILED", "FuzzHungry": "FAILED", "FuzzHanging": "HANGS"} {
		if !regexp.MustCompile(`(?m)^example.test/p ` + name + ` .* ` + want + `$`).MatchString(said) {
			t.Errorf("no row says that %s is %s:\n%s%s", name, want, said, errs.String())
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "testdata/fuzz/FuzzBad/*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("inputs kept: %q, %v", kept, err)
	}
	again := "go test -C " + dir + " -run='^FuzzBad$/^" + filepath.Base(kept[0]) + "$' ."
	for _, want := range []string{"it is long", kept[0], again, "no other input was tried for 5s"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s", want, said)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTargetThatOnlyTriesWhatWasKnownIsNotFuzzed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.test/p\n\ngo 1.26\n",
		"p_test.go": "package p\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nfunc FuzzSlow(f *testing.F) {\n" +
			"\tfor i := range byte(100) {\n\t\tf.Add([]byte{i})\n\t}\n\tf.Fuzz(func(*testing.T, []byte) { time.Sleep(100 * time.Millisecond) })\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs strings.Builder
	err := run(t.Context(), []string{"-time", "2s", dir}, &out, &errs)
	if err == nil || err.Error() != "1 of 1 targets failed or were not fuzzed" {
		t.Errorf("error %v", err)
	}
	said := out.String()
	if !regexp.MustCompile(`(?m)^example.test/p FuzzSlow .* NOT FUZZED$`).MatchString(said) || !strings.Contains(said, "took all of 2s") {
		t.Errorf("it is not told:\n%s%s", said, errs.String())
	}
}

func TestInputsAreMadeUpOnceThoseOfBeforeAreDone(t *testing.T) {
	for line, want := range map[string]bool{
		"fuzz: elapsed: 10s, gathering baseline coverage: 169/192 completed":           false,
		"fuzz: elapsed: 10s, execs: 192 (19/sec), new interesting: 0 (total: 192)":     false,
		"fuzz: elapsed: 10s, execs: 193 (19/sec), new interesting: 0 (total: 192)":     true,
		"fuzz: elapsed: 10s, execs: 200 (20/sec), new interesting: 12 (total: 204)":    true,
		"fuzz: elapsed: 1m10s, execs: 9000 (90/sec), new interesting: 0 (total: 9000)": false,
	} {
		var p progress
		if p.read(line); p.madeUp() != want {
			t.Errorf("%q: %t", line, !want)
		}
	}
}

func TestInterruptedTargetIsNoFailure(t *testing.T) {
	dir := module(t)
	t.Setenv("TMPDIR", t.TempDir())
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var errs strings.Builder
	out := &watched{word: "FuzzGood", seen: interrupt} // the other one is under way then
	err := run(ctx, []string{"-time", "2s", "-only", "Good|Hanging", dir}, out, &errs)
	if err == nil || err.Error() != "interrupted; 0 of 2 targets had failed" {
		t.Errorf("error %v", err)
	}
	if said := out.String(); !regexp.MustCompile(`(?m)^example.test/p FuzzHanging .* interrupted$`).MatchString(said) || strings.Contains(said, "---") {
		t.Errorf("no row says that it was interrupted, or it is told as a failure:\n%s%s", said, errs.String())
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// watched calls seen when a word is written.
type watched struct {
	strings.Builder

	word string
	seen func()
}

func (w *watched) Write(text []byte) (int, error) {
	if strings.Contains(string(text), w.word) {
		w.seen()
	}
	return w.Builder.Write(text)
}

func TestMistakesOfTheCommandLineAreErrors(t *testing.T) {
	for _, args := range [][]string{{"-time", "1ms"}, {"-jobs", "0"}, {"-memory", "1"}, {"-only", "("}, {"-x"}, {"-only", "NoSuchTarget", "."}, {"/no/such/folder"}} {
		var out, errs strings.Builder
		if err := run(t.Context(), args, &out, &errs); err == nil {
			t.Errorf("%q: %s", args, out.String())
		}
	}
	err := run(t.Context(), []string{"-only", "NoSuchTarget", "."}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `"NoSuchTarget"`) {
		t.Errorf("no target: %v", err)
	}
}

func TestProgressIsSomethingNew(t *testing.T) {
	var p progress
	var fresh []bool
	for _, line := range []string{
		"fuzz: elapsed: 0s, gathering baseline coverage: 0/192 completed",
		"fuzz: elapsed: 3s, gathering baseline coverage: 0/192 completed",
		"fuzz: elapsed: 6s, gathering baseline coverage: 192/192 completed, now fuzzing with 1 workers",
		"fuzz: elapsed: 9s, execs: 102 (34/sec), new interesting: 12 (total: 204)",
		"fuzz: elapsed: 12s, execs: 102 (0/sec), new interesting: 12 (total: 204)",
		"fuzz: elapsed: 1m3s, execs: 4000 (7/sec), new interesting: 13 (total: 205)",
		"fuzz: minimizing 53-byte failing input file",
	} {
		fresh = append(fresh, isProgress(line) && p.read(line))
	}
	if want := []bool{true, false, true, true, false, true, true}; !slices.Equal(fresh, want) {
		t.Errorf("%v, want %v", fresh, want)
	}
	if p.execs != 4000 || p.fresh != 13 || p.known != 205 {
		t.Errorf("%+v", p)
	}
}

func TestOnlyTheEndOfTheTimeIsNoFailure(t *testing.T) {
	const end = "    context deadline exceeded"
	for _, c := range []struct {
		output []string
		late   bool
	}{
		{[]string{"--- FAIL: FuzzX (4.07s)", end, "FAIL"}, true},
		{[]string{"--- FAIL: FuzzX (4.07s)", "    --- FAIL: FuzzX (0.00s)", "        x_test.go:7: context deadline exceeded", "FAIL"}, false},
		{[]string{"--- FAIL: FuzzX (4.07s)", end, "    Failing input written to testdata/fuzz/FuzzX/0", "FAIL"}, false},
		{[]string{"--- FAIL: FuzzX (4.07s)", "    bad", end, "FAIL"}, false},
		{[]string{end}, false},
		{nil, false},
	} {
		if r := (result{target: target{name: "FuzzX"}, output: c.output}); r.onlyLate() != c.late {
			t.Errorf("%q: %t", c.output, !c.late)
		}
	}
}
