//go:build unix

package cluster

import "syscall"

// socket looks at a connection without reading from it. Its zero value sees nothing.
type socket struct{ raw syscall.RawConn }

func newSocket(conn syscall.Conn) socket {
	if conn == nil {
		return socket{}
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return socket{}
	}
	return socket{raw}
}

// readable reports whether something has come in, be it only the connection's end.
func (s socket) readable() bool {
	if s.raw == nil {
		return false
	}
	seen := false
	err := s.raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		seen = err != syscall.EAGAIN && err != syscall.EINTR
		return true
	})
	return seen || err != nil
}
