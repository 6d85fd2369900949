package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/process"
)

func TestEndedProcessTellsItsStatusAndLastWords(t *testing.T) {
	p := shell(t, `echo on stdout; echo on stderr >&2; exit 3`)
	<-p.Done()
	if got, want := p.Err().Error(), "sh ended: exit status 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := p.LogTail(), "on stdout\non stderr\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogTailIsBoundedAndBeginsWithALine(t *testing.T) {
	p := shell(t, `i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done`)
	<-p.Done()
	tail := p.LogTail()
	if len(tail) > 4<<10 || !strings.HasPrefix(tail, "line ") || !strings.HasSuffix(tail, "line 1999\n") {
		t.Errorf("%d bytes: %q", len(tail), tail)
	}
}

func TestKillEndsAProcessThatIgnoresSignals(t *testing.T) {
	p := shell(t, `trap '' INT TERM; exec sleep 60`)
	pid := p.PID()
	p.Kill()
	p.Kill()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	if got, want := p.Err().Error(), "sh ended: signal: killed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestChildIsNotConfiguredByTheEnvironment(t *testing.T) {
	t.Setenv("ETCD_NAME", "stray")
	p := shell(t, `echo "${ETCD_NAME-unset}"`)
	<-p.Done()
	if got := p.LogTail(); got != "unset\n" {
		t.Errorf("got %q", got)
	}
}

func TestStartSaysWhatItCannotStart(t *testing.T) {
	dir := t.TempDir()
	_, err := process.Start(filepath.Join(dir, "log"), filepath.Join(dir, "absent"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "start absent") {
		t.Errorf("got %v", err)
	}
}

// shell runs a script and kills it at the end of the test.
func shell(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(filepath.Join(t.TempDir(), "log"), "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}
