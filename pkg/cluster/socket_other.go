//go:build !unix

package cluster

import "syscall"

// socket would look at a connection without reading from it; here it sees nothing.
type socket struct{}

func (*socket) init(syscall.Conn) {}

func (*socket) readable() bool { return false }
