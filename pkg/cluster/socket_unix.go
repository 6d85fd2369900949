//go:build unix

package cluster

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// socket looks at a connection without reading from it. Its zero value sees nothing. It is for whoever owns the connection:
// nobody may close it during a look.
type socket struct{ fd int32 } // 0: unknown

func (s *socket) init(conn syscall.Conn) {
	if conn == nil {
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { s.fd = int32(fd) }) //nolint:gosec // a file descriptor; unknown if it is closed already
}

// readable reports whether something has come in, be it only the connection's end. It asks the system by itself, without
// the locks that make a look through the connection cost as much again.
func (s *socket) readable() bool {
	if s.fd == 0 {
		return false
	}
	asks := [1]unix.PollFd{{Fd: s.fd, Events: unix.POLLIN}}
	n, err := unix.Poll(asks[:], 0)
	return err == nil && n > 0
}
