// Package stalls sees how long a machine that has much else to do makes a run of the fault suite wait, so that it is not
// taken for the product's fault.
package stalls

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

const (
	// glance is how often the kernel is asked who has waited.
	glance = 200 * time.Millisecond
	// leastStall is how much of that time a thread must have waited for a processor to be worth mention.
	leastStall = 20 * time.Millisecond
)

// Observe records for how long the machine lets the processes wait for a processor, until ctx ends: in each moment that of
// the thread that waits longest. On a machine with nothing else to do that is next to nothing. It needs Linux's /proc.
func Observe(ctx context.Context, h *checker.History, pids ...int) {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	waited := map[string]time.Duration{}
	for first := true; ; first = false {
		now := h.Now()
		most := time.Duration(0)
		for _, pid := range pids {
			most = max(most, longestWait(pid, waited))
		}
		if most > leastStall && !first {
			h.Stall(schedule.Window{From: now - most, To: now})
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// longestWait returns the longest time that a thread of the process has waited for a processor since waited was brought up
// to date, and brings it up to date. A thread that is new has not waited, one that is gone counts no more.
func longestWait(pid int, waited map[string]time.Duration) (longest time.Duration) {
	threads, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "schedstat"))
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		fields := bytes.Fields(text)
		if err != nil || len(fields) < 2 {
			continue // it has ended
		}
		nanoseconds, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			continue
		}
		total := time.Duration(nanoseconds)
		if before, met := waited[thread]; met {
			longest = max(longest, total-before)
		}
		waited[thread] = total
	}
	return longest
}
