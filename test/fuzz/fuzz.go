package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// minimizing bounds the search for a shorter input that fails, or is new, alike.
const minimizing = 5 * time.Second

// memory is where Linux keeps files that are on no disk.
const memory = "/dev/shm"

// maxOutputLines is how many of the last lines of a target's output are kept.
const maxOutputLines = 200

// verdict is what came of a target.
type verdict string

const (
	passed      verdict = "ok"
	failed      verdict = "FAILED"
	hung        verdict = "HANGS"
	unfuzzed    verdict = "NOT FUZZED"  // the inputs that were known took all of its time
	interrupted verdict = "interrupted" // by whoever runs this, so that nothing is known
)

// bad reports whether a target is to be mended.
func (v verdict) bad() bool { return v == failed || v == hung || v == unfuzzed }

// result is what came of fuzzing one target.
type result struct {
	target
	progress

	verdict verdict
	took    time.Duration
	output  []string // the last lines
}

// fuzzAll fuzzes the targets, some at once, and yields each result as it comes.
func fuzzAll(ctx context.Context, targets []target, programs map[string]string, o options) iter.Seq[result] {
	return func(yield func(result) bool) {
		cache, err := goOutput(ctx, ".", "env", "GOCACHE")
		corpus := filepath.Join(strings.TrimSpace(string(cache)), "fuzz")
		for r := range fanout.Each(ctx, slices.Values(targets), o.jobs, func(ctx context.Context, t target) (result, error) {
			if err != nil {
				return result{}, err
			}
			return fuzz(ctx, t, programs[t.pkg], filepath.Join(corpus, t.pkg), o)
		}) {
			if r.Err != nil {
				r.Value = result{target: r.Key, verdict: failed, output: []string{r.Err.Error()}}
				if ctx.Err() != nil {
					r.Value.verdict = interrupted
				}
			}
			if !yield(r.Value) {
				return
			}
		}
	}
}

// fuzz fuzzes one target: by one worker process, which another one leads.
func fuzz(ctx context.Context, t target, program, corpus string, o options) (result, error) {
	began := time.Now()
	// What a worker shares with its leader is a file, left behind where they are killed; and some targets write files for
	// each input, which takes a disk a hundred times as long.
	scratch, err := os.MkdirTemp(memory, t.name)
	if err != nil {
		scratch, err = os.MkdirTemp("", t.name)
	}
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(scratch)
	// Minimizing begins anew for each input, so the whole is bounded, too.
	run := ctx
	ctx, cancel := context.WithTimeout(run, o.each+2*o.stall+4*minimizing)
	defer cancel()
	// GOMEMLIMIT is what the garbage collector aims for, the shell's limit what the system gives at most: an input that
	// wants more ends its worker, which is a failure.
	c := exec.CommandContext(ctx, "sh", "-c", `ulimit -d "$1"; shift; exec "$@"`, "sh", strconv.FormatInt(o.memory>>10, 10),
		program, "-test.run=^$", "-test.fuzz=^"+t.name+"$", "-test.fuzztime="+o.each.String(), "-test.fuzzminimizetime="+minimizing.String(),
		"-test.fuzzcachedir="+corpus, "-test.parallel=1", "-test.timeout=0", "-test.paniconexit0")
	c.Dir = t.dir
	c.Env = append(os.Environ(), "TMPDIR="+scratch, "GOMEMLIMIT="+strconv.FormatInt(o.memory/2, 10))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // the worker, too
	c.WaitDelay = time.Second
	read, write := io.Pipe()
	c.Stdout, c.Stderr = write, write
	if err := c.Start(); err != nil {
		return result{}, err
	}
	ended := make(chan error, 1)
	go func() {
		err := c.Wait()
		_ = write.Close() // never fails
		ended <- err
	}()
	r := result{target: t, verdict: passed}
	watch := time.AfterFunc(o.stall, cancel)
	defer watch.Stop()
	for lines := bufio.NewScanner(read); lines.Scan(); {
		line := lines.Text()
		if !isProgress(line) {
			r.output = append(r.output, line)
			r.output = r.output[max(0, len(r.output)-maxOutputLines):]
			continue
		}
		if r.read(line) && ctx.Err() == nil {
			watch.Reset(o.stall)
		}
	}
	_, _ = io.Copy(io.Discard, read) // a line that is too long ends the scanner, and must not hold the process up
	err = <-ended
	r.took = time.Since(began)
	switch {
	case run.Err() != nil:
		r.verdict = interrupted
	case ctx.Err() != nil:
		r.verdict = hung
		r.output = append(r.output, fmt.Sprintf("it was ended after %v: no other input was tried for %v, or it did not end", r.took.Round(time.Second), o.stall))
	case err != nil && !r.onlyLate():
		r.verdict = failed
	case r.execs+r.known == 0:
		r.verdict = failed
		r.output = append(r.output, "not one input was tried")
	case !r.madeUp():
		r.verdict = unfuzzed
		r.output = append(r.output, fmt.Sprintf("to try again what was known took all of %v, so that no other input was tried: give it more time", o.each))
	}
	return r, nil
}

// onlyLate reports whether a target has failed by nothing but the end of its time, which Go at times takes for a failure
// (go.dev/issue/75804; mended in Go 1.27).
func (r result) onlyLate() bool {
	said := strings.Join(r.output, "\n")
	return r.input() == "" && strings.HasPrefix(said, "--- FAIL: "+r.name+" (") && strings.HasSuffix(said, ")\n    context deadline exceeded\nFAIL")
}
