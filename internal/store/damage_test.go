package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
)

func TestADirectoryThatIsDamagedIsLeftAsItIs(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, stream string){
		"description overwritten": func(t *testing.T, stream string) {
			write(t, filepath.Join(stream, "meta.inf"), "{garbage")
		},
		"description gone": func(t *testing.T, stream string) {
			if err := os.Remove(filepath.Join(stream, "meta.inf")); err != nil {
				t.Fatal(err)
			}
		},
		"checksum overwritten": func(t *testing.T, stream string) {
			write(t, filepath.Join(stream, "meta.sum"), "0000")
		},
		"messages are not a directory": func(t *testing.T, stream string) {
			if err := os.Rename(filepath.Join(stream, "msgs"), filepath.Join(stream, "kept")); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(stream, "msgs"), "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, store.Options{Dir: dir})
			s.Append(transition("a", 1))
			shut(t, s)
			damage(t, filepath.Join(dir, "jetstream/$G/streams/clusterfleet_transitions"))
			before := tree(t, dir)
			s, err := store.Open(t.Context(), store.Options{Dir: dir})
			if err == nil {
				shut(t, s)
				t.Fatal("it opens")
			}
			if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "restore it from a backup, or move it away") {
				t.Errorf("the error is %v", err)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestADirectoryIsOpenedWhoseMakingWasCutOff(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "jetstream/$G/streams/clusterfleet_transitions/msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, store.Options{Dir: dir})
	s.Append(transition("a", 1))
	settle(t, s)
}

func TestADamagedMessageLeavesTheOthersReadable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
	for i := range 1000 {
		s.Append(transition("a", i))
	}
	shut(t, s)
	block := filepath.Join(dir, "jetstream/$G/streams/clusterfleet_transitions/msgs/1.blk")
	data, err := os.ReadFile(block)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[len(data)/2:], strings.Repeat("\xff", 100))
	write(t, block, string(data))
	s = open(t, store.Options{Dir: dir})
	if got := history(t, s, health.HistoryQuery{}); len(got) < 997 || len(got) == 1000 {
		t.Errorf("%d of 1000 are left", len(got))
	}
	s.Append(transition("b", 1))
	settle(t, s)
	if got := history(t, s, health.HistoryQuery{Limit: 1}); len(got) != 1 || got[0].Cluster != "b" {
		t.Errorf("what comes after it is %v", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree returns the files of a directory with their sizes.
func tree(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			sizes[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}
