//go:build unix

package store_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
)

// TestADiskThatIsFullDegradesTheStoreUntilThereIsRoom runs in a process of its own: the limit that stands in for a full
// disk holds for all that a process writes.
func TestADiskThatIsFullDegradesTheStoreUntilThereIsRoom(t *testing.T) {
	if os.Getenv(childDir) == "" {
		_, out := start(t, "full", childDir+"="+t.TempDir())
		var lines []string
		for out.Scan() {
			lines = append(lines, out.Text())
		}
		if len(lines) == 0 || lines[len(lines)-1] != "PASS" {
			t.Errorf("the child says:\n%s", strings.Join(lines, "\n"))
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	s := open(t, store.Options{Dir: os.Getenv(childDir)})
	const n = 50
	add := func(from int) {
		for i := range n {
			s.Append(transition("a", from+i))
			s.Save(snapshot(fmt.Sprint("c", from+i)))
		}
	}
	add(0)
	settle(t, s)

	limitFiles(t, 4096)
	add(n)
	eventually(t, "the store is degraded", func() bool { return s.Stats().Failures > 2 })
	err := s.Status()
	if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), fmt.Sprint(n, " transitions and ", n, " snapshots wait")) {
		t.Errorf("on a full disk the status is %v", err)
	}
	if got := history(t, s, health.HistoryQuery{}); len(got) != n {
		t.Errorf("on a full disk %d are read, not %d", len(got), n)
	}
	add(2 * n)

	limitFiles(t, ^uint64(0))
	eventually(t, "the store is well", func() bool { return s.Status() == nil && s.Stats().PendingTransitions == 0 })
	settle(t, s)
	got := history(t, s, health.HistoryQuery{})
	if len(got) != 3*n {
		t.Fatalf("%d are stored, not %d", len(got), 3*n)
	}
	for i, x := range got {
		if want := transition("a", 3*n-1-i); x.Message != want.Message {
			t.Errorf("at %d there is %q, not %q", i, x.Message, want.Message)
		}
	}
	eventually(t, "all snapshots are stored", func() bool { return len(load(t, s)) == 3*n })
	if got := s.Stats(); got.Dropped != 0 || got.WrittenTransitions != 3*n {
		t.Errorf("%+v", got)
	}
}

// limitFiles sets how large a file may grow that this process writes.
func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: size, Max: ^uint64(0)}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}
