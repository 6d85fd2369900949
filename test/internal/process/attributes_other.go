//go:build !linux

package process

import "syscall"

// attributes keeps the terminal's signals away from the child.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
