package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// writeBuffers returns how much memory the embedded store keeps for writing: JetStream holds the block that each stream is
// written to in a buffer of one of four sizes, the next larger one as the block grows. It is bounded by 8 MiB a stream and
// goes up and down for as long as the process lives, which would hide a leak, or look like one.
func writeBuffers(data string) (bytes int64, err error) {
	folders, err := filepath.Glob(filepath.Join(data, "jetstream", "*", "streams", "*", "msgs"))
	for _, folder := range folders {
		last, lastErr := lastBlock(folder)
		err = errors.Join(err, lastErr)
		if last != nil {
			bytes += bufferFor(last.Size())
		}
	}
	return bytes, err
}

// lastBlock returns the block that is written to: the one with the highest number. nil: there is none.
func lastBlock(folder string) (block fs.FileInfo, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	last := 0
	for _, entry := range entries {
		number, isBlock := strings.CutSuffix(entry.Name(), ".blk")
		n, err := strconv.Atoi(number)
		if !isBlock || err != nil || n < last {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		last, block = n, info
	}
	return block, nil
}

// bufferFor is the buffer that JetStream takes for a block: 256 KiB, 1, 4 or 8 MiB.
func bufferFor(block int64) int64 {
	for _, size := range []int64{256 << 10, 1 << 20, 4 << 20} {
		if block <= size {
			return size
		}
	}
	return 8 << 20
}
