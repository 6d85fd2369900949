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
