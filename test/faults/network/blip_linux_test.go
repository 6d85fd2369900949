package network_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
)

func TestBlipsAreNotTold(t *testing.T) {
	apart(t, func() {
		r := startRun(t, newWorld(t, 60, ""))
		const (
			down, up = time.Second, 9 * time.Second
			rounds   = 2
		)
		for range rounds {
			e := r.begin(blip("a moment of silence"), r.schedule.Clusters, func() { r.Silence(netns.Everything()) })
			pass(down)
			r.end(e, func() { r.Heal(netns.Everything()) })
			pass(up)
			e = r.begin(blip("a link that is down for a moment"), r.schedule.Clusters, r.Cut)
			pass(down)
			r.end(e, r.Mend)
			pass(up)
		}
		if told := r.transitions(t, 0); len(told) > 0 {
			t.Errorf("told are %v", told)
		}
		r.conclude(t)
	})
}
