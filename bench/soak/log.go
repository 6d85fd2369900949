package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

// log is the samples so far, in memory and in a file where one is wanted. It is safe for concurrent use.
type log struct {
	mu   sync.Mutex
	rest []sample
	out  io.Closer
	rows *csv.Writer
}

// newLog opens the file; it must be closed.
func newLog(file string) (*log, error) {
	if file == "" {
		return &log{rows: csv.NewWriter(io.Discard)}, nil
	}
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	l := &log{out: out, rows: csv.NewWriter(out)}
	return l, l.write([]string{
		"seconds", "heap_bytes", "rss_bytes", "goroutines", "open_files", "connections",
		"judged_heap_bytes", "store_buffer_bytes", "heap_in_use_bytes", "store_bytes", "watchers", "collections", "clusters", "visits", "rest",
	})
}

func (l *log) write(row []string) error {
	if err := l.rows.Write(row); err != nil {
		return err
	}
	l.rows.Flush()
	return l.rows.Error()
}

// add writes a sample, so that it is there when the run ends early.
func (l *log) add(s sample) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := "0"
	if s.rest {
		rest = "1"
		l.rest = append(l.rest, s)
	}
	row := []string{fmt.Sprintf("%.1f", s.at.Seconds())}
	for _, figure := range []int64{
		s.live, s.rss, int64(s.goroutines), int64(s.files), int64(s.connections),
		s.own, s.buffers, s.heap, s.disk, int64(s.watchers), int64(s.collections), int64(s.clusters), int64(s.visits),
	} {
		row = append(row, strconv.FormatInt(figure, 10))
	}
	return l.write(append(row, rest))
}

// atRest returns the samples at rest, in their order.
func (l *log) atRest() []sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sample(nil), l.rest...)
}

func (l *log) close() {
	if l.out != nil {
		_ = l.out.Close() // every row was flushed
	}
}
