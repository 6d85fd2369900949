package checker_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

func TestStallsThatOverlapCountOnce(t *testing.T) {
	span := func(from, to time.Duration) schedule.Window {
		return schedule.Window{From: from * second, To: to * second}
	}
	h := checker.NewHistory()
	for _, w := range []schedule.Window{span(12, 16), span(10, 14), span(11, 12), span(20, 21)} {
		h.Stall(w)
	}
	for _, c := range []struct {
		in   schedule.Window
		want time.Duration
	}{
		{span(0, 30), 7 * second},
		{span(11, 13), 2 * second},
		{span(15, 30), 2 * second},
		{span(16, 20), 0},
		{span(22, 30), 0},
		{span(15, 11), 0}, // a call that ended long before it had to
	} {
		if got := h.Stalled(c.in); got != c.want {
			t.Errorf("of %v: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestAFaultThatEndsBeforeItIsDueIsNotJudged(t *testing.T) {
	for name, c := range map[string]struct {
		doctor     func(*story)
		judged, of int
	}{
		"a machine with time":     {func(*story) {}, 1, 1},
		"a machine without":       {func(s *story) { s.history.Stall(schedule.Window{From: 12 * second, To: 38 * second}) }, 0, 1},
		"a fault that ends early": {func(s *story) { s.plan.Episodes[0].To = 26 * second }, 0, 1},
		"a hiccup":                {func(s *story) { s.plan.Episodes[0].Want.Never = true }, 0, 0},
		"a fault of other calls":  {func(s *story) { s.plan.Episodes[0].Want.Within = 0 }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell()
			c.doctor(s)
			if judged, of := checker.Judged(s.plan, s.history); judged != c.judged || of != c.of {
				t.Errorf("%d of %d, want %d of %d", judged, of, c.judged, c.of)
			}
		})
	}
}
