package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxTold is how many calls that went wrong are told in words.
const maxTold = 10

// The ways in which a call may end as it should.
const (
	ended = "ended" // to its end
	left  = "left"  // its caller gave up: it cancelled, hung up, or went home with all others
)

// overdue is how a call ends that was given little time, and no answer in it. A small share may.
const overdue = "too late"

// tally counts how the callers' calls ended. It is safe for concurrent use.
type tally struct {
	mu     sync.Mutex
	counts map[string]map[string]int // by call, by how it ended
	wrong  int
	// lates and punctual are calls with little time that did not end in it, and that did.
	lates, punctual int
	told            []string
	visits          int
}

func newTally() *tally { return &tally{counts: make(map[string]map[string]int)} }

// count counts a call that ended as it should.
func (t *tally) count(call, how string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts[call] == nil {
		t.counts[call] = make(map[string]int)
	}
	t.counts[call][how]++
}

// fail counts a call that ended as it should not.
func (t *tally) fail(call string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong++
	if len(t.told) < maxTold {
		t.told = append(t.told, call+": "+err.Error())
	}
}

// late counts a call that had little time and did not end in it.
func (t *tally) late(call string, given time.Duration) {
	t.count(call, fmt.Sprintf("%s (of %s to %s)", overdue, given.Truncate(time.Second), given.Truncate(time.Second)+time.Second))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lates++
}

// inTime counts a call that had little time and did end in it.
func (t *tally) inTime() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.punctual++
}

// lateness returns how many calls with little time did not end in it, of how many.
func (t *tally) lateness() (late, of int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lates, t.lates + t.punctual
}

// visited counts the visit of a caller.
func (t *tally) visited() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.visits++
}

func (t *tally) visitsSoFar() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.visits
}

// failures returns how many calls went wrong, and the first of them in words.
func (t *tally) failures() (count int, told []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrong, slices.Clone(t.told)
}

// String is one line a call.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, call := range slices.Sorted(maps.Keys(t.counts)) {
		fmt.Fprintf(&b, "  %s:", call)
		for _, how := range slices.Sorted(maps.Keys(t.counts[call])) {
			fmt.Fprintf(&b, " %d %s", t.counts[call][how], how)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
