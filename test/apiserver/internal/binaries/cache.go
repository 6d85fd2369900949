package binaries

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Cache keeps executables under Dir, a directory a key. Processes may share it: the first builds, the others wait for it.
type Cache struct {
	Dir string
}

// Get returns the executables kept under key. Where there are none it calls build, which writes them into the directory
// it is given; they appear under key all at once, and only if build succeeds.
func (c Cache) Get(ctx context.Context, key string, build func(ctx context.Context, dir string) error) (Set, error) {
	final := filepath.Join(c.Dir, key)
	if set, err := In(final); err == nil {
		return set, nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return Set{}, err
	}
	unlock, err := lock(ctx, final+".lock")
	if err != nil {
		return Set{}, fmt.Errorf("wait for another build of %s: %w", key, err)
	}
	defer unlock()
	if set, err := In(final); err == nil {
		return set, nil
	}

	partial := final + ".partial"
	defer os.RemoveAll(partial)
	if err := errors.Join(os.RemoveAll(partial), os.RemoveAll(final)); err != nil {
		return Set{}, err
	}
	if err := os.Mkdir(partial, 0o755); err != nil {
		return Set{}, err
	}
	if err := build(ctx, partial); err != nil {
		return Set{}, err
	}
	if _, err := In(partial); err != nil {
		return Set{}, fmt.Errorf("the build did not yield what it should: %w", err)
	}
	if err := os.Rename(partial, final); err != nil {
		return Set{}, err
	}
	return In(final)
}

// lock takes the advisory lock of path, waiting for it until ctx ends. The kernel releases it when its holder dies, so a
// build that was killed blocks nobody.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
