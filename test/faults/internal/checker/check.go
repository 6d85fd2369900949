package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// Violation is where a history does not fit.
type Violation struct {
	// Rule is what was to hold, in a few words.
	Rule string
	At   time.Duration
	// Text says what was told, and by whom.
	Text string
}

// String is the violation in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%8.3fs %s: %s", v.At.Seconds(), v.Rule, v.Text)
}

// Check returns where the history does not fit the schedule, in the order of time; nil where it does.
func Check(s *schedule.Schedule, h *History) []Violation {
	j := &judge{schedule: s, history: h}
	for _, rule := range []func(){j.sights, j.lists, j.spread, j.told, j.changes, j.remembered, j.revisions, j.calls, j.final} {
		rule()
	}
	slices.SortFunc(j.found, func(a, b Violation) int { return cmp.Compare(a.At, b.At) })
	return j.found
}

// judge collects what does not fit.
type judge struct {
	schedule *schedule.Schedule
	history  *History
	found    []Violation
}

func (j *judge) violate(rule string, at time.Duration, format string, args ...any) {
	j.found = append(j.found, Violation{rule, at, fmt.Sprintf(format, args...)})
}
