//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// flock locks the file for this process as long as it is open. It reports whether another one has it.
func flock(f *os.File) (taken bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK), err
}
