package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// maxOutput bounds what is kept of what a run of tests prints, in bytes.
const maxOutput = 16 << 10

// outcome is how the tests of a suite went.
type outcome struct {
	passed bool
	// unbuilt says that they, or what they test, did not compile.
	unbuilt bool
	// timedOut says that the time ran out.
	timedOut bool
	// killer is the first test that failed before that, by which the run ended; empty if none did.
	killer string
	ran    map[string]bool
	// took is how long the tests ran, without compiling them.
	took time.Duration
	// output is the end of what was printed.
	output string
}

// errEnough ends a run of tests of which enough is known.
var errEnough = errors.New("a test has failed")

// event is a line of `go test -json`.
type event struct {
	Action, Test, Output, FailedBuild string
	Elapsed                           float64 // seconds
}

// test runs a suite of the module in the directory root, with an overlay unless that is empty, up to the first failure.
func (s suite) test(ctx context.Context, root, overlay string, timeout time.Duration) (outcome, error) {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	// What the tests leave, those that are killed above all, goes with it.
	scratch, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(scratch)
	cmd := exec.CommandContext(ctx, "go", s.arguments(overlay, timeout)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	// With what it starts, so that nothing outlives us. A terminal's interrupt comes by way of ctx.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	var complaints strings.Builder
	cmd.Stderr = &complaints
	events, err := cmd.StdoutPipe()
	if err != nil {
		return outcome{}, err
	}
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	o, readErr := readEvents(events)
	if o.killer != "" || readErr != nil {
		enough(errEnough) // what follows is not waited for
	}
	err = cmd.Wait()
	switch {
	case readErr != nil:
		return o, fmt.Errorf("go test %s: %w; it says: %s", s, readErr, complaints.String())
	case o.killer != "":
		return o, nil
	case ctx.Err() != nil:
		return o, context.Cause(ctx)
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return o, err
	}
	o.passed = err == nil
	o.output += complaints.String()
	return o, nil
}

func (s suite) arguments(overlay string, timeout time.Duration) []string {
	// Not vetted: that a mutant is bad style kills it as little as that it does not compile.
	arguments := []string{"test", "-json", "-count=1", "-vet=off", "-timeout=" + timeout.String()}
	if s.race {
		arguments = append(arguments, raceFlag)
	}
	if overlay != "" {
		arguments = append(arguments, "-overlay="+overlay)
	}
	if len(s.tests) > 0 {
		arguments = append(arguments, "-run="+matching(s.tests))
	}
	return append(arguments, s.dir)
}

// matching returns what matches these tests, or one subtest.
func matching(tests []string) string {
	if len(tests) > 1 {
		return "^(" + strings.Join(tests, "|") + ")$"
	}
	levels := strings.Split(tests[0], "/")
	for i, level := range levels {
		levels[i] = "^" + regexp.QuoteMeta(level) + "$"
	}
	return strings.Join(levels, "/")
}

// readEvents reads to the first failure, or to the end.
func readEvents(r io.Reader) (outcome, error) {
	o := outcome{ran: map[string]bool{}}
	for decoder := json.NewDecoder(r); ; {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return o, nil
		} else if err != nil {
			return o, err
		}
		if o.take(e); o.killer != "" {
			return o, nil
		}
	}
}

func (o *outcome) take(e event) {
	switch e.Action {
	case "run":
		o.ran[e.Test] = true
	case "output", "build-output":
		o.output += e.Output
		o.output = o.output[max(0, len(o.output)-maxOutput):]
		o.timedOut = o.timedOut || strings.HasPrefix(e.Output, "panic: test timed out after ")
	case "pass":
		if e.Test == "" {
			o.took = time.Duration(e.Elapsed * float64(time.Second))
		}
	case "fail":
		o.unbuilt = o.unbuilt || e.FailedBuild != ""
		if o.timedOut || o.unbuilt {
			return
		}
		o.killer = e.Test
		if e.Test == "" { // what TestMain finds, such as a goroutine that stays
			o.killer = "TestMain"
		}
	}
}
