package store

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
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
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if !exists(root, streamsDir) {
		return nil
	}
	if err := links(root, streamsDir, keptDir); err != nil {
		return errors.Join(err, release(dir))
	}
	return nil
}

// putBack makes those streams anew that are kept and gone, and gives up the second names.
func putBack(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	streams, err := fs.ReadDir(root.FS(), keptDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, stream := range streams {
		kept, gone := path.Join(keptDir, stream.Name()), path.Join(streamsDir, stream.Name())
		if !exists(root, path.Join(kept, description)) || exists(root, path.Join(gone, description)) {
			continue
		}
		if err := root.RemoveAll(gone); err != nil {
			return err
		}
		if err := links(root, kept, gone); err != nil {
			return err
		}
	}
	return release(dir)
}

// release gives up the second names.
func release(dir string) error { return os.RemoveAll(filepath.Join(dir, keptDir)) }

// links makes a directory like another, of the same files.
func links(root *os.Root, from, to string) error {
	return fs.WalkDir(root.FS(), from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		second := to + strings.TrimPrefix(name, from)
		if entry.IsDir() {
			return root.MkdirAll(second, 0o700)
		}
		return root.Link(name, second)
	})
}

func exists(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return err == nil
}
