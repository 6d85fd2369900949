package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// sample is what the aggregator takes at a time.
type sample struct {
	at time.Duration
	// rest tells that nobody calls, the whole fleet is well, and what the callers left was collected.
	rest bool
	// live is what the last collection left of the heap, heap what is in use, rss what is resident, in bytes.
	live, heap, rss int64
	// own is what of live is none of the store's write buffers.
	own, buffers                   int64
	goroutines, files, connections int
	// disk is the size of the store, in bytes.
	disk int64
	// watchers are callers who watch; collections are those of garbage since the start.
	watchers, collections int
	clusters              int
	// lost is what the store could not write or had no room for, since the start.
	lost int
	// visits are those of callers that have ended, since the start.
	visits int
}

// look takes a sample; its time and visits are left to the caller.
func (a *aggregator) look(ctx context.Context) (sample, error) {
	m, err := a.metrics(ctx)
	if err != nil {
		return sample{}, a.process.Failed(err)
	}
	s := sample{
		live:       int64(m.Value("go_gc_heap_live_bytes")),
		heap:       int64(m.Value("go_memstats_heap_alloc_bytes")),
		rss:        int64(m.Value("process_resident_memory_bytes")),
		goroutines: int(m.Value("go_goroutines")),
		watchers:   int(m.Value("clusterfleet_watchers")),
		clusters:   int(m.Value("clusterfleet_clusters")),
		lost:       int(m.Value("clusterfleet_store_dropped_total") + m.Value("clusterfleet_store_failures_total")),
	}
	for _, metric := range m["go_gc_duration_seconds"].GetMetric() {
		s.collections = int(metric.GetSummary().GetSampleCount())
	}
	if s.live == 0 || s.rss == 0 || s.goroutines == 0 {
		return s, errors.New("the aggregator does not show what is to be measured: go_gc_heap_live_bytes, process_resident_memory_bytes, go_goroutines")
	}
	pid := a.process.PID()
	if s.files, err = process.OpenFiles(pid); err != nil {
		return s, err
	}
	if s.connections, err = process.Connections(pid); err != nil {
		return s, err
	}
	if s.disk, err = sizeOf(a.data); err != nil {
		return s, err
	}
	s.buffers, err = writeBuffers(a.data)
	s.own = s.live - s.buffers
	return s, err
}

// sizeOf returns how many bytes are in the files of a folder, some of which may go meanwhile.
func sizeOf(folder string) (bytes int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}

// atRest is what some samples taken at rest come to: of each figure the median. What is more or less is somebody who looks, a
// probe under way, or a connection that is made anew; and a collection and a look at the store's buffers may fall to both
// sides of a change.
func atRest(samples []sample) sample {
	found := samples[len(samples)-1]
	found.rest = true
	found.own = middle(samples, func(s sample) int64 { return s.own })
	found.buffers = middle(samples, func(s sample) int64 { return s.buffers })
	found.live = middle(samples, func(s sample) int64 { return s.live })
	found.rss = middle(samples, func(s sample) int64 { return s.rss })
	found.goroutines = middle(samples, func(s sample) int { return s.goroutines })
	found.files = middle(samples, func(s sample) int { return s.files })
	found.connections = middle(samples, func(s sample) int { return s.connections })
	found.watchers = middle(samples, func(s sample) int { return s.watchers })
	return found
}

func middle[N cmp.Ordered](samples []sample, figure func(sample) N) N {
	all := make([]N, 0, len(samples))
	for _, s := range samples {
		all = append(all, figure(s))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
