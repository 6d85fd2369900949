package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheEmbeddedTableIsWhatKubernetesSays(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "kubernetes.txt")
	if err := run([]string{file}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(t, file), read(t, "../../kubernetes.txt")); diff != "" {
		t.Errorf("go generate ./internal/lifecycle: -want +got:\n%s", diff)
	}
}

func TestWithoutAFileNothingIsWritten(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"a", "b"}} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
