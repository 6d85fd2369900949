package simulator

import (
	"fmt"
	"net"
	"syscall"
)

// canBlackhole tells whether this system drops SYNs to a socket whose backlog is full.
const canBlackhole = true

// stayOnLoopback binds a wildcard socket to the loopback device, so that other machines do not even find it listening.
// Where that is not allowed, connections from elsewhere are still refused one by one.
func stayOnLoopback(fd uintptr) { _ = syscall.BindToDevice(int(fd), "lo") }

// setBacklog changes how many connections may wait to be accepted. Zero means one: Linux compares with "more than".
func setBacklog(l *net.TCPListener, n int) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return fmt.Errorf("set the backlog: %w", err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), n) }); err != nil {
		return fmt.Errorf("set the backlog: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("set the backlog: %w", failed)
	}
	return nil
}
