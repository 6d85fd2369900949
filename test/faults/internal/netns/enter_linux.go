package netns

import (
	"context"
	"fmt"
	"net"
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
func created(setUp func() error) (namespace *os.File, err error) {
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("make a network namespace: %w", err)
			return
		}
		if namespace, err = os.Open("/proc/thread-self/ns/net"); err == nil {
			err = setUp()
		}
	})
	return namespace, err
}

// DialFar connects as a program in the far network does. The address must be one of numbers.
func (p *Pair) DialFar(ctx context.Context, network, address string) (conn net.Conn, err error) {
	onThread(func() {
		if err = unix.Setns(int(p.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	})
	return conn, err
}

// onThread runs a function on a thread that ends with it. It is never the main thread, which does not end and whose
// namespace is what /proc shows as the process's.
func onThread(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			onThread(do) // on another one, as this one is held
			return
		}
		do() // the thread stays locked: it ends with the goroutine
	}()
	<-done
}
