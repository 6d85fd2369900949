//go:build unix

package cluster

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// socket looks at a connection without reading from it. Its zero value sees nothing. It is for one goroutine at a time.
type socket struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool // made once, so that a look allocates nothing
	asks [1]unix.PollFd
}

func (s *socket) init(conn syscall.Conn) {
	if conn == nil {
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	s.raw = raw
	s.look = func(fd uintptr) bool {
		s.asks[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN} //nolint:gosec // a file descriptor
		if _, err := unix.Poll(s.asks[:], 0); err != nil {
			s.asks[0].Revents = 0
		}
		return true
	}
}

// readable reports whether something has come in, be it only the connection's end.
func (s *socket) readable() bool {
	if s.raw == nil {
		return false
	}
	return s.raw.Read(s.look) != nil || s.asks[0].Revents != 0
}
