//go:build !linux

package process

import "syscall"

// attributes puts the child in a process group of its own.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
