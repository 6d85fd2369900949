package binaries_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
)

func TestInNamesWhatADirectoryLacks(t *testing.T) {
	dir := t.TempDir()
	want := func(fragment string) {
		t.Helper()
		_, err := binaries.In(dir)
		if err == nil || !strings.Contains(err.Error(), fragment) {
			t.Errorf("got %v, want something about %s", err, fragment)
		}
	}
	want(filepath.Join(dir, "kube-apiserver"))
	if err := writeExecutables(dir, "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	want(filepath.Join(dir, "etcd"))
	if err := os.WriteFile(filepath.Join(dir, "etcd"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	want(filepath.Join(dir, "etcd") + " is not an executable file")
}
