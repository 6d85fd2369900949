package network_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
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
		told := r.transitions(t, 0)
		r.conclude(t)
		longest := time.Duration(0)
		for _, e := range r.schedule.Episodes {
			longest = max(longest, e.To+e.Edge-e.From)
		}
		if longest <= schedule.Moment && len(told) > 0 { // a machine that is busy may have made them longer
			t.Errorf("of silences of %s at most, told are %v", longest, told)
		}
		t.Logf("the longest took %s", longest)
	})
}
