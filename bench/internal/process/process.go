// Package process runs programs as children that cannot outlive this process, and reads from the system what they use.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Process is a running child. It is made by Start and must be ended with Kill.
type Process struct {
	// Stdin and Stdout are the child's.
	Stdin  io.WriteCloser
	Stdout *bufio.Reader

	name string
	cmd  *exec.Cmd
	log  *logLines
	done chan struct{}
}

var errEnded = errors.New("it has ended")

// Start runs the executable at path until it ends, Kill is called, or ctx ends. On Linux it also ends when this process
// dies, however that happens. As it is killed, it removes nothing: what it writes as temporary files goes into the folder
// scratch, which is whoever's who starts it; empty: where this process puts its own.
func Start(ctx context.Context, scratch, path string, args ...string) (*Process, error) {
	p := &Process{
		name: filepath.Base(path),
		cmd:  exec.CommandContext(ctx, path, args...),
		log:  newLogLines(),
		done: make(chan struct{}),
	}
	if scratch != "" {
		p.cmd.Env = append(os.Environ(), Scratch(scratch))
	}
	p.cmd.SysProcAttr = attributes()
	p.cmd.Stderr = p.log
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.Stdin, p.Stdout = stdin, bufio.NewReader(stdout)
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
}

// Scratch is the variable of an environment that has a program write its temporary files into a folder.
func Scratch(folder string) string { return "TMPDIR=" + folder }

// run starts the child and waits for it on one thread, because Linux takes the death of the thread that started a child
// for the death of its parent.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	defer close(p.done)
	_ = p.cmd.Wait() // that it ended is known, and whoever needed it reports that it is gone
}

// PID returns the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done returns a channel that is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the child at once and returns when it is gone. It may be called more than once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when the child has ended
	<-p.done
}

// AwaitLog returns the first line on stderr that match accepts, waiting for it.
func (p *Process) AwaitLog(ctx context.Context, match func(line string) bool) (string, error) {
	for {
		for _, line := range p.log.lines() {
			if match(line) {
				return line, nil
			}
		}
		select {
		case <-p.log.grown:
		case <-p.done:
			return "", p.Failed(errEnded)
		case <-ctx.Done():
			return "", p.Failed(context.Cause(ctx))
		}
	}
}

// Failed wraps what went wrong with the child in its name and what it has printed on stderr.
func (p *Process) Failed(err error) error {
	return fmt.Errorf("%s: %w\n%s", p.name, err, strings.Join(p.log.lines(), "\n"))
}
