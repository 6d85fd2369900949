package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idleTime is how long after the last write JetStream keeps the block: 10 s, and some for its timer.
const idleTime = 11 * time.Second

// writeBuffers returns how much memory the embedded store keeps for writing: JetStream holds the block that each stream is
// written to in a buffer of one of four sizes, the next larger one as the block grows, and lets go of it when nothing has
// been written for a while. It is bounded by 8 MiB a stream and comes and goes for as long as the process lives, which would
// hide a leak, or look like one.
func writeBuffers(data string, now time.Time) (bytes int64, err error) {
	folders, err := filepath.Glob(filepath.Join(data, "jetstream", "*", "streams", "*", "msgs"))
	for _, folder := range folders {
		last, lastErr := lastBlock(folder)
		err = errors.Join(err, lastErr)
		if last != nil && now.Sub(last.ModTime()) < idleTime {
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
