package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCPUIsUserAndSystemTimeWhateverTheName(t *testing.T) {
	stat := []byte("42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 5 0 100 0 0\n")
	got, err := cpuOf(stat)
	if err != nil || got != 1750*time.Millisecond {
		t.Errorf("got %v, %v; want 1.75s", got, err)
	}
	if _, err := cpuOf([]byte("42 (a) S 1")); err == nil {
		t.Error("a line that is too short is no error")
	}
}

func TestResidentMemoryIsInBytes(t *testing.T) {
	const status = "Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t     128 kB\nVmRSS:\t 1 kB\n"
	for name, want := range map[string]int64{"VmHWM:": 128 << 10, "VmRSS:": 1 << 10} {
		if got, err := memoryOf(status, name); err != nil || got != want {
			t.Errorf("%s got %d, %v; want %d", name, got, err, want)
		}
	}
	if _, err := memoryOf("Name:\tx\n", "VmHWM:"); err == nil {
		t.Error("no VmHWM is no error")
	}
}

func TestUsageOfThisProcessIsRead(t *testing.T) {
	own, err := OwnCPU()
	if err != nil || own <= 0 {
		t.Errorf("OwnCPU: %v, %v", own, err)
	}
	peak, err := PeakRSS(os.Getpid())
	if err != nil || peak < 1<<20 {
		t.Errorf("PeakRSS: %d, %v", peak, err)
	}
	if now, err := RSS(os.Getpid()); err != nil || now < 1<<20 {
		t.Errorf("RSS: %d, %v", now, err)
	}
	files, err := OpenFiles(os.Getpid())
	if err != nil || files < 3 {
		t.Errorf("OpenFiles: %d, %v", files, err)
	}
}

func TestChildIsSpokenWithAndKilled(t *testing.T) {
	p, err := Start(t.Context(), "", "/bin/sh", "-c", "echo ready >&2; exec cat")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if line, err := p.AwaitLog(t.Context(), func(line string) bool { return line == "ready" }); err != nil || line != "ready" {
		t.Fatalf("AwaitLog: %q, %v", line, err)
	}
	if _, err := p.Stdin.Write([]byte("echo\n")); err != nil {
		t.Fatal(err)
	}
	if answer, err := p.Stdout.ReadString('\n'); err != nil || answer != "echo\n" {
		t.Fatalf("the child answered %q, %v", answer, err)
	}
	p.Kill()
	if _, err := OpenFiles(p.PID()); err == nil {
		t.Error("the child is still there after Kill")
	}
}

func TestChildWritesTemporaryFilesIntoItsScratchFolder(t *testing.T) {
	scratch := t.TempDir()
	p, err := Start(t.Context(), scratch, "/bin/sh", "-c", `echo "$TMPDIR"; exec cat`)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if line, err := p.Stdout.ReadString('\n'); err != nil || line != scratch+"\n" {
		t.Errorf("its temporary files go to %q, %v; want %s", line, err, scratch)
	}
}

func TestAwaitLogTellsWhyTheLineDoesNotCome(t *testing.T) {
	never := func(string) bool { return false }
	p, err := Start(t.Context(), "", "/bin/sh", "-c", "echo no such thing >&2")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.AwaitLog(t.Context(), never); !errors.Is(err, errEnded) || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("the child ended: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q, err := Start(t.Context(), "", "/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	defer q.Kill()
	if _, err := q.AwaitLog(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("the wait ended: %v", err)
	}
}

func TestLogKeepsTheLastLines(t *testing.T) {
	log := newLogLines()
	for range 3 {
		_, _ = log.Write(bytes.Repeat([]byte("x\n"), maxLines)) // it never fails
	}
	_, _ = log.Write([]byte("la")) // it never fails
	_, _ = log.Write([]byte("st\n"))
	lines := log.lines()
	if len(lines) != maxLines || lines[maxLines-1] != "last" {
		t.Errorf("%d lines, the last one %q", len(lines), lines[len(lines)-1])
	}
}

func TestOutputIsWhatAProgramPrintsAndHowItEndsIsTold(t *testing.T) {
	said, err := Output(t.Context(), strings.NewReader("in"), []string{"X=env"}, "/bin/sh", "-c", `cat; echo " $X"; exit 3`)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 3 || string(said) != "in env\n" {
		t.Errorf("got %q, %v; want %q and exit code 3", said, err, "in env\n")
	}
}

func TestOutputEndsWithItsContextAndSoDoWhatItHasStarted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := Output(ctx, strings.NewReader(""), nil, "/bin/sh", "-c", `sleep 600 3>"$0" & wait`, name)
		ended <- err
	}()
	fifo, err := os.Open(name) // waits for the child of the child
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	cancel()
	if err := <-ended; err == nil {
		t.Error("a program that was killed is no error")
	}
	if _, err := fifo.Read(make([]byte, 1)); !errors.Is(err, io.EOF) { // waits for its end
		t.Errorf("the child of the child: %v", err)
	}
}

func TestUsageOfChildrenIsThatOfThoseThatHaveEnded(t *testing.T) {
	before, err := ChildrenCPU()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Output(t.Context(), strings.NewReader(""), nil, "/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"); err != nil {
		t.Fatal(err)
	}
	after, err := ChildrenCPU()
	if err != nil || after <= before {
		t.Errorf("ChildrenCPU: %v, then %v, %v", before, after, err)
	}
	if peak, err := ChildrenPeakRSS(); err != nil || peak < 100<<10 {
		t.Errorf("ChildrenPeakRSS: %d, %v", peak, err)
	}
}
