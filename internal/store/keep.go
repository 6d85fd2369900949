package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// The embedded server deletes a stream that it fails to open, be it for want of a file descriptor. So each file of the
// streams gets a second name before the server starts. It loses that once all streams are open; where one is gone
// instead, it is put back.

// keptDir is where the second names are, within the data directory.
const keptDir = "kept"

// description is the file without which a stream is none.
const description = "meta.inf"

// keep gives the files of all streams a second name. What a start that was cut off has kept is put back before.
func keep(dir string) error {
	if err := putBack(dir); err != nil {
		return err
	}
	from, to := filepath.Join(dir, streamsDir), filepath.Join(dir, keptDir)
	if !exists(from) {
		return nil // there are no streams yet
	}
	if err := links(from, to); err != nil {
		return errors.Join(err, release(dir))
	}
	return nil
}

// putBack makes those streams anew that are kept and gone, and gives up the second names.
func putBack(dir string) error {
	streams, err := os.ReadDir(filepath.Join(dir, keptDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, stream := range streams {
		kept, path := filepath.Join(dir, keptDir, stream.Name()), filepath.Join(dir, streamsDir, stream.Name())
		if !exists(filepath.Join(kept, description)) || exists(filepath.Join(path, description)) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := links(kept, path); err != nil {
			return err
		}
	}
	return release(dir)
}

// release gives up the second names.
func release(dir string) error { return os.RemoveAll(filepath.Join(dir, keptDir)) }

// links makes a directory like another, of the same files.
func links(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, inside), 0o700)
		}
		return os.Link(path, filepath.Join(to, inside))
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
