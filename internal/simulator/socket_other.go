//go:build !linux

package simulator

import (
	"errors"
	"net"
)

// canBlackhole tells whether this system drops SYNs to a socket whose backlog is full. Elsewhere than on Linux that is
// not known, and a black hole that refuses would lie.
const canBlackhole = false

func stayOnLoopback(uintptr) {}

func setBacklog(*net.TCPListener, int) error { return errors.ErrUnsupported }
