package faults_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

// resources are what the aggregator uses at a time.
type resources struct {
	rss               int64 // bytes
	files, goroutines int
}

// String tells them in one line.
func (r resources) String() string {
	return fmt.Sprintf("%d MiB resident, %d files, %d goroutines", r.rss>>20, r.files, r.goroutines)
}

var resident = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

// resources reads them from /proc and /metrics.
func (s *subject) resources(ctx context.Context) (resources, error) {
	proc := fmt.Sprintf("/proc/%d", s.PID())
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return resources{}, err
	}
	found := resident.FindSubmatch(status)
	if found == nil {
		return resources{}, fmt.Errorf("no VmRSS in %s", status)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		return resources{}, err
	}
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return resources{}, err
	}
	m, err := metrics.Read(ctx, "http://"+s.HTTP+"/metrics")
	if err != nil {
		return resources{}, err
	}
	return resources{rss: kilobytes << 10, files: len(files), goroutines: int(m.Value("go_goroutines"))}, nil
}

// sample reads the resources each second until ctx ends, and returns the most of each.
func (s *subject) sample(ctx context.Context) (most resources, err error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return most, nil
		case <-ticker.C:
		}
		now, err := s.resources(ctx)
		if ctx.Err() != nil {
			return most, nil
		}
		if err != nil {
			return most, err
		}
		most.rss, most.files, most.goroutines = max(most.rss, now.rss), max(most.files, now.files), max(most.goroutines, now.goroutines)
	}
}

// awaitBaseline waits until the aggregator uses no more than before it was called, but for what a few probes under way use.
func (s *subject) awaitBaseline(t *testing.T, before resources) {
	t.Helper()
	const underWay = 10
	err := process.Poll(t.Context(), func() (bool, error) {
		now, err := s.resources(t.Context())
		if err != nil {
			return false, err
		}
		return now.files <= before.files+underWay && now.goroutines <= before.goroutines+underWay, fmt.Errorf("%s, before %s", now, before)
	})
	if err != nil {
		t.Errorf("what callers used is not given back: %v", err)
	}
}

// What callers and faults may make an aggregator use that is built with the race detector, besides what it used before. In a
// fleet of 66 on a machine that was busy it used 214 MiB, 28 files and 379 goroutines more at most, and kept 183 MiB.
const (
	moreResident, keptResident = 128 << 20, 64 << 20
	moreResidentEach           = 3 << 20 // a cluster
	moreFilesEach              = 1
	moreGoroutinesEach         = 8
)

// bounded checks what the aggregator used at most, and what it keeps of that.
func (s *subject) bounded(t *testing.T, before, most resources) {
	t.Helper()
	after, err := s.resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("before %s; at most %s; after %s", before, most, after)
	n := len(s.fleet.Names())
	each := int64(n * moreResidentEach)
	if most.rss == 0 || most.rss > before.rss+moreResident+each ||
		most.files > before.files+n*moreFilesEach || most.goroutines > before.goroutines+n*moreGoroutinesEach {
		t.Errorf("of a fleet of %d that is too much", n)
	}
	if after.rss > before.rss+keptResident+each {
		t.Errorf("it keeps too much of that: %s", after)
	}
}
