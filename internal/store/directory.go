package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// streamsDir is where the embedded server has its streams, a directory each, within the data directory.
const streamsDir = "jetstream/$G/streams"

// lock makes the data directory ours until the file is closed. It makes the directory where there is none.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory %s: %w: check its path and that this user may write there", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w: check that this user may write there", dir, err)
	}
	taken, err := flock(f)
	if taken {
		f.Close()
		return nil, fmt.Errorf("data directory %s is in use by another process: stop that one, or use another directory", dir)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	return f, nil
}

// streams returns the names of the streams in the directory that hold messages.
func streams(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, streamsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if holdsData(filepath.Join(dir, streamsDir, entry.Name())) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// holdsData reports whether a stream's directory holds messages. One that was about to be made does not.
func holdsData(stream string) bool {
	blocks, err := os.ReadDir(filepath.Join(stream, "msgs"))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	for _, block := range blocks {
		info, err := block.Info()
		if strings.HasSuffix(block.Name(), ".blk") && (err != nil || info.Size() > 0) {
			return true
		}
	}
	return false
}

// damaged is the error for a directory that cannot be read. It says how to go on, which is for the operator to decide.
func damaged(dir, what string) error {
	return fmt.Errorf("data directory %s cannot be read: %s: restore it from a backup, or move it away to begin with an empty "+
		"history; nothing was deleted", dir, what)
}

// writable reports why nothing can be written to the directory, or nil. It wants room for a few batches.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, "room-")
	if err == nil {
		_, err = f.Write(make([]byte, 4*maxBatchBytes))
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return fmt.Errorf("data directory %s cannot be written: %w: make room, and check that this user may write there", dir, err)
	}
	return nil
}
