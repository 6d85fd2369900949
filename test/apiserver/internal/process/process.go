// Package process runs a server as a child process that cannot outlive this one, with its output in a file.
package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// tailSize is how much of a log an error quotes: some twenty lines.
const tailSize = 4 << 10

// Process is a running child. It is made by Start and must be ended with Kill.
type Process struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	done    chan struct{}
	err     error // how it ended; written before done is closed
}

// Start runs the executable at path with args; everything it prints goes to logFile, a new file. The child gets no
// input and, of this process's environment, only PATH: variables that happen to be set do not configure a test server.
// It does not see the terminal's Ctrl-C; on Linux it is killed when this process dies, however that happens.
func Start(logFile, path string, args ...string) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()

	p := &Process{name: filepath.Base(path), logFile: logFile, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
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
	p.err = p.cmd.Wait()
	close(p.done)
}

// PID returns the child's process id, valid until Done.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the child ended. It may be called once Done is closed.
func (p *Process) Err() error {
	if p.err == nil {
		return fmt.Errorf("%s ended: exit status 0", p.name)
	}
	return fmt.Errorf("%s ended: %w", p.name, p.err)
}

// LogTail returns the last lines of what the child printed, or why they cannot be read.
func (p *Process) LogTail() string {
	file, err := os.Open(p.logFile)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	skipped := max(0, info.Size()-tailSize)
	tail, err := io.ReadAll(io.NewSectionReader(file, skipped, tailSize))
	if err != nil {
		return err.Error()
	}
	if skipped > 0 {
		_, tail, _ = bytes.Cut(tail, []byte("\n"))
	}
	return string(tail)
}

// Kill ends the child at once and returns when it is gone. It may be called more than once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when the child has ended
	<-p.done
}
