package netns

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// enter is the first argument of a test binary that is to become another program in another namespace.
const enter = "enter-network-namespace"

// Main has to be the first that TestMain calls: it is how the programs of a [Pair.Launcher] come into their namespace. It
// returns in a process that is to run tests.
func Main() {
	if len(os.Args) < 4 || os.Args[1] != enter {
		return
	}
	fmt.Fprintln(os.Stderr, become(os.Args[2], os.Args[3:]))
	os.Exit(1)
}

// become replaces the process by a program in the namespace of that path. It returns only if that fails.
func become(path string, args []string) error {
	runtime.LockOSThread()
	namespace, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", path, err)
	}
	failed := syscall.Exec(args[0], args, os.Environ()) //nolint:gosec // the test that started the process chose the program
	return fmt.Errorf("run %s: %w", args[0], failed)
}

// created makes a namespace, calls set up on a thread in it, and returns a file that keeps it.
func created(setUp func() error) (*os.File, error) {
	type result struct {
		namespace *os.File
		err       error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: fmt.Errorf("make a network namespace: %w", err)}
			return
		}
		namespace, err := os.Open("/proc/thread-self/ns/net")
		if err == nil {
			err = setUp()
		}
		made <- result{namespace, err}
	}()
	r := <-made
	return r.namespace, r.err
}
