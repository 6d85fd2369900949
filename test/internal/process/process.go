// Package process runs programs for the length of a test: they end with it, what they print can be waited for, and where
// the test fails, the end of what they printed is in its log.
package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// patience is how long a test waits for what happens at once on a machine that has nothing else to do.
	patience = 60 * time.Second
	// grace is how long a program may take to end by itself when its test is over.
	grace = 40 * time.Second
	// raceExit is the exit code of a program in which the race detector found a race.
	raceExit = 66
)

// Process is a running program.
type Process struct {
	Stdout, Stderr *Output

	name string
	cmd  *exec.Cmd
	done chan struct{}
	// expected is set once the test has taken note of how the program ended.
	expected bool
}

// Start runs a program until the test ends: it is asked to end with SIGTERM then, and must do so with exit code 0.
func Start(t testing.TB, executable string, args ...string) *Process {
	t.Helper()
	return StartCommand(t, exec.Command(executable, args...))
}

// StartCommand is Start for a command with a directory or an environment of its own.
func StartCommand(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{
		Stdout: newOutput(), Stderr: newOutput(),
		name: filepath.Base(cmd.Path), cmd: cmd, done: make(chan struct{}),
	}
	cmd.Env = append(cmd.Environ(), "GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0")
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = patience // for grandchildren that hold the output open
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	t.Cleanup(func() { p.end(t) })
	return p
}

// run starts the child and waits for it on one thread, because Linux takes the death of the thread that started a
// child for the death of its parent.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = p.cmd.Wait() // the state says how it ended
	p.Stdout.close()
	p.Stderr.close()
	close(p.done)
}

// PID returns the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal.
func (p *Process) Signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Errorf("send %s to %s: %v", signal, p.name, err)
	}
}

// Kill ends the program as a crash would, and waits until it is gone.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	p.Signal(t, syscall.SIGKILL)
	<-p.done
	p.expected = true
}

// Wait waits until the program ends, at most the given time, and returns its exit code; -1 if a signal ended it.
func (p *Process) Wait(t testing.TB, limit time.Duration) (code int) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		t.Fatalf("%s has not ended within %s", p.name, limit)
	}
	p.expected = true
	code = p.cmd.ProcessState.ExitCode()
	p.checkRace(t)
	return code
}

// GroupLives reports whether a process lives that the program, or one that it started, has left behind.
func (p *Process) GroupLives() bool { return syscall.Kill(-p.PID(), 0) == nil }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

func (p *Process) checkRace(t testing.TB) {
	t.Helper()
	if p.cmd.ProcessState.ExitCode() == raceExit || strings.Contains(p.Stderr.String(), "WARNING: DATA RACE") {
		t.Errorf("a data race in %s:\n%s", p.name, p.Stderr)
	}
}

func (p *Process) end(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("end %s: %v", p.name, err)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		t.Errorf("%s has not ended within %s of SIGTERM", p.name, grace)
		_ = p.cmd.Process.Kill() // it may have ended just now
		<-p.done
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 && !p.expected {
		t.Errorf("%s ended: %s", p.name, p.cmd.ProcessState)
	}
	p.checkRace(t)
	if t.Failed() {
		t.Logf("the last lines of %s:\n%s", strings.Join(p.cmd.Args, " "), p.Stderr.Tail())
	}
}

// Result is what a program that has ended printed, and its exit code; -1 if a signal ended it.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a program to its end, which must come within the time.
func Run(t testing.TB, limit time.Duration, executable string, args ...string) Result {
	t.Helper()
	return RunCommand(t, limit, exec.Command(executable, args...))
}

// RunCommand is Run for a command with a directory or an environment of its own.
func RunCommand(t testing.TB, limit time.Duration, cmd *exec.Cmd) Result {
	t.Helper()
	p := StartCommand(t, cmd)
	code := p.Wait(t, limit)
	return Result{Stdout: p.Stdout.String(), Stderr: p.Stderr.String(), Code: code}
}

// Poll looks again and again, with a pause in between, until done returns true; what is still missing is in the error.
func Poll(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}
