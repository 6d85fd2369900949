package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachMutantIsToldWithHowItEnded(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"-root", "testdata/module", "-patches", "../patches"}, &out, io.Discard)
	if err == nil || err.Error() != "6 of 10 mutants were not killed" {
		t.Errorf("got %v", err)
	}
	for name, ending := range map[string]string{
		"killed":          "./sum: TestTotal",
		"killed-by-main":  "./sum: TestMain",
		"killed-by-race":  "./sum: TestTotal",
		"hangs":           "./sum: (hangs)",
		"survives":        "SURVIVED",
		"survives-in-one": "SURVIVED",
		"unbuilt":         "DOES NOT BUILD",
		"moved":           "DOES NOT APPLY",
		"corrupt":         "MALFORMED",
		"faultless":       "MALFORMED",
	} {
		line := regexp.MustCompile(`(?m)^` + name + ` +[0-9.]+  (.*)$`).FindStringSubmatch(out.String())
		if line == nil || line[1] != ending {
			t.Errorf("%s is not told to end by %s", name, ending)
		}
	}
	for _, text := range []string{
		"\n--- survives-in-one\nFault: three counts twice\nSURVIVED: the tests pass, so one is missing\nTests: ./sum TestNothing\n",
		"cannot use \"\" (untyped string constant) as int value in return statement",
		"patch does not apply",
		"\n--- faultless\nFault: \nMALFORMED: it is no patch as test/mutants/README.md says: no line says what is wrong: Fault: …\n",
		"corrupt patch at ",
		"\n4 of 10 mutants killed in ",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not told", text)
		}
	}
	if t.Failed() {
		t.Logf("%s", out.String())
	}
}

func TestOnlyThoseWhoseWholeNameMatchesAreTested(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-root", "testdata/module", "-patches", "../patches", "-list", "-run", "kill.d|moved"}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := "killed  three counts twice\n          ./sum TestNothing TestTotal\nmoved   it is about what is not there\n          ./sum\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := run(t.Context(), append(args, "-run", "kill"), io.Discard, io.Discard); err == nil {
		t.Error("no mutant is called so, and yet there is no error")
	}
}

func TestPatchesAreFoundFromAnyFolderOfTheSource(t *testing.T) {
	t.Chdir("../../docs")
	if err := run(t.Context(), []string{"-list"}, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if err := run(t.Context(), []string{"-list"}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "or give -root") {
		t.Errorf("elsewhere: %v", err)
	}
}

func TestAHangThatIsNotExpectedIsNoKill(t *testing.T) {
	m := mutant{}
	if _, err := m.killer(outcome{timedOut: true}); err == nil || !strings.HasPrefix(err.Error(), "HANGS: ") {
		t.Errorf("got %v", err)
	}
	if killer, err := m.killer(outcome{timedOut: true, killer: "TestTotal"}); killer != "TestTotal" || err != nil {
		t.Errorf("got %q, %v", killer, err)
	}
	if _, err := m.killer(outcome{}); err == nil || !strings.HasPrefix(err.Error(), "NOT TESTED: ") {
		t.Errorf("got %v", err)
	}
}

func TestTheTestsHaveToBeThereAndToPassWithoutAnyFault(t *testing.T) {
	module := copied(t)
	write(t, module, "patches/absent.patch", "Fault: f\nTests: ./sum TestTotal TestOfYesterday\n\n"+edit)
	write(t, module, "patches/broken.patch", "Fault: f\nTests: ./sum TestBroken\n\n"+edit)
	write(t, module, "patches/nowhere.patch", "Fault: f\nTests: ./product\n\n"+edit)
	write(t, module, "sum/broken_test.go", "package sum\n\nimport \"testing\"\n\nfunc TestBroken(t *testing.T) { t.Error(\"as ever\") }\n")
	for name, why := range map[string]string{
		"absent":  "./sum has no test TestOfYesterday",
		"broken":  "./sum without any fault: TestBroken fails",
		"nowhere": "./product without any fault: something fails",
	} {
		err := run(t.Context(), []string{"-root", module, "-patches", "patches", "-run", name}, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, and not %q", name, err, why)
		}
	}
}

func TestAHangOfTestsThatAreSlowAnywayIsNoKill(t *testing.T) {
	m := mutant{hang: 3 * time.Second}
	for name, c := range map[string]struct {
		o       outcome
		verdict string
	}{
		"quick":  {outcome{passed: true, took: time.Second}, ""},
		"slow":   {outcome{passed: true, took: time.Second + 1}, "NOT TESTED: without the fault "},
		"failed": {outcome{took: time.Second}, "NOT TESTED: the tests did not run"},
	} {
		err := m.really(c.o)
		if (err == nil) != (c.verdict == "") || err != nil && !strings.HasPrefix(err.Error(), c.verdict) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWrongArgumentsAreToldByWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		why  string
		args []string
	}{
		{"unknown argument fanout-unbounded: did you mean -run fanout-unbounded?", []string{"fanout-unbounded"}},
		{"-jobs 0: it takes at least one", []string{"-jobs", "0"}},
		{"open /nonexistent: no such file or directory", []string{"-patches", "/nonexistent"}},
		{"testdata/nonexistent: no such file or directory", []string{"-root", "testdata/module", "-patches", "../nonexistent"}},
	} {
		if err := run(t.Context(), c.args, io.Discard, io.Discard); err == nil || !strings.HasSuffix(err.Error(), c.why) {
			t.Errorf("%q: got %v", c.args, err)
		}
	}
}

func TestNothingThatTheTestsLeaveStays(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	args := []string{"-root", "testdata/module", "-patches", "../patches", "-run", "killed|hangs"}
	if err := run(t.Context(), args, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestAnInterruptEndsTheRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := run(ctx, []string{"-root", "testdata/module", "-patches", "../patches"}, io.Discard, io.Discard); err == nil {
		t.Error("it ended well")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// edit is a diff that a mutant may have.
const edit = "diff --git a/sum/sum.go b/sum/sum.go\n--- a/sum/sum.go\n+++ b/sum/sum.go\n@@ -1 +1 @@\n-a\n+b\n"

func TestPatchesThatProveNothingAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"Tests: ./sum\n\n" + edit:                             "Fault: …",
		"Fault: f\n\n" + edit:                                 "Tests: ./package",
		"Fault: f\nTests: TestTotal\n\n" + edit:               "names no package",
		"Fault: f\nTests: ./sum TestA/b TestC\n":              "names a subtest among others",
		"Fault: f\nTests: ./sum\n":                            "it changes no file",
		"Fault: f\nHang: soon\nTests: ./sum\n\n" + edit:       "invalid duration",
		"Fault: f\nTests: ./sum\n\n" + renamed("sum_test.go"): "not a test",
		"Fault: f\nTests: ./sum\n\n" + renamed("go.mod"):      "no change of a Go file",
		"Fault: f\nTests: ./sum\n\n" + renamed("../sum.go"):   "no change of a Go file",
	} {
		var m mutant
		if err := m.parse(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, and not %q", text, err, why)
		}
	}
}

func renamed(name string) string { return strings.ReplaceAll(edit, "sum/sum.go", name) }

// The patches are kept beside the source that they change: who changes that sees here at once which of them to renew.
func TestEveryPatchAppliesToTodaysSource(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mutants, err := readMutants("patches", regexp.MustCompile(".*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if _, err := m.overlay(t.Context(), root, t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/module")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
