package process

import (
	"context"
	"os"
)

// Signal sends the child a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Wait returns with which code the child ended, waiting for it; -1 if a signal has killed it.
func (p *Process) Wait(ctx context.Context) (code int, err error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, p.Failed(context.Cause(ctx))
	}
}
