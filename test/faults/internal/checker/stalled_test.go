package checker_test

import (
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
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
		told       int
	}{
		"a machine with time":                 {func(*story) {}, 1, 1, 1},
		"a machine without":                   {func(s *story) { s.history.Stall(schedule.Window{From: 12 * second, To: 38 * second}) }, 0, 1, 1},
		"a fault that ends early":             {func(s *story) { s.plan.Episodes[0].To = 26 * second }, 0, 1, 1},
		"a hiccup":                            {func(s *story) { s.plan.Episodes[0].Want.Never = true }, 0, 0, 0},
		"a fault of other calls":              {func(s *story) { s.plan.Episodes[0].Want.Within = 0 }, 0, 0, 0},
		"a fault that ends before it is told": {func(s *story) { s.plan.Episodes[0].To = 19 * second }, 0, 1, 0},
		"a fault that is told late":           {func(s *story) { s.attentive.Seen[4].At = 28 * second }, 1, 1, 0},
		"a fault that is told by another reason": {func(s *story) {
			told(s.attentive, 4).Observation.Verdict.Reason = fleetv1.Verdict_REASON_CONNECTION_RESET
		}, 1, 1, 0},
		"a fault that only one of two is told": {func(s *story) { s.watch("another", "", true) }, 1, 1, 0},
		"a fault that nobody watches":          {func(s *story) { s.attentive.Attentive = false }, 1, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell()
			c.doctor(s)
			if judged, of := checker.Judged(s.plan, s.history); judged != c.judged || of != c.of {
				t.Errorf("%d of %d, want %d of %d", judged, of, c.judged, c.of)
			}
			if got := checker.Told(s.plan, s.history); got != c.told {
				t.Errorf("%d were told, want %d", got, c.told)
			}
		})
	}
}
