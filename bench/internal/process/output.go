package process

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// outputDelay is how long a program's output is waited for after its end; a child that it has left may hold the pipe.
const outputDelay = 10 * time.Second

// Output runs a program to its end and returns what it has printed on stdout. It is killed with the children that it has
// when ctx ends, and runs with these variables beside the environment of this process. How it ended, if not well, is an
// *exec.ExitError.
func Output(ctx context.Context, stdin io.Reader, environment []string, path string, args ...string) ([]byte, error) {
	runtime.LockOSThread() // see Process.run
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = stdin
	cmd.Env = append(os.Environ(), environment...)
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = outputDelay
	return cmd.Output()
}
