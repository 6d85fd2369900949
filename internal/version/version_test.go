package version_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// The Makefile names the variable by its path, which no compiler checks: the flags are taken from there.
func TestStringIsWhatTheMakefileLinksIn(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^LDFLAGS := (.*)\$\(VERSION\)$`).FindSubmatch(makefile)
	if flags == nil {
		t.Fatal("the Makefile has no LDFLAGS that end in $(VERSION)")
	}
	if got := printed(t, ".", "-ldflags="+string(flags[1])+"v1.2.3-4-gabcdef0"); got != "v1.2.3-4-gabcdef0" {
		t.Errorf("version is %q, want the one that was linked in", got)
	}
}

func TestStringIsDevelWhereNothingIsKnown(t *testing.T) {
	if got := printed(t, ".", "-buildvcs=false"); got != "devel" {
		t.Errorf("version is %q, want devel", got)
	}
}

func TestStringIsTheCommitThatGoRecorded(t *testing.T) {
	clone := t.TempDir()
	here := filepath.Join(clone, "internal", "version")
	if err := os.CopyFS(here, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	module := []byte("module github.com/clusterfleet/clusterfleet\n\ngo 1.26\n")
	if err := os.WriteFile(filepath.Join(clone, "go.mod"), module, 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, clone, "git", "init", "--quiet")
	output(t, clone, "git", "add", ".")
	output(t, clone, "git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false",
		"commit", "--quiet", "--no-verify", "--message=begin")
	commit := strings.TrimSpace(output(t, clone, "git", "rev-parse", "HEAD"))

	if got := printed(t, here, "-buildvcs=true"); !strings.HasSuffix(got, "-"+commit[:12]) {
		t.Errorf("version is %q, want one that ends in the commit %s", got, commit[:12])
	}
}

// printed builds the program in testdata, in a copy of this folder, with the flag and returns what it prints.
func printed(t *testing.T, dir, flag string) string {
	t.Helper()
	return output(t, dir, "go", "run", flag, "./testdata/print")
}

func output(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Dir = dir
	command.Stderr = t.Output()
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(arguments, " "), err)
	}
	return string(out)
}
