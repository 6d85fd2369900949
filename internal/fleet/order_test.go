package fleet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestWorkStartsWithTheLivingAndAmongThemWithTheSlow(t *testing.T) {
	f := New(Options{})
	var members []*member
	add := func(name string, state cluster.State, probe, read time.Duration) {
		m := &member{definition: cluster.Definition{Name: name}}
		m.pace.set(probeWork, probe)
		m.pace.set(readWork, read)
		if state != cluster.Unknown {
			f.latest.put(m, seen(state, time.Now()))
		}
		members = append(members, m)
	}
	add("dead", cluster.Unreachable, 5*time.Second, 0)
	add("rejected", cluster.Unauthorized, 10*time.Millisecond, 0)
	add("new", cluster.Unknown, 0, 0)
	add("quick to read", cluster.Healthy, 30*time.Millisecond, 50*time.Millisecond)
	add("long to read", cluster.Healthy, 20*time.Millisecond, 9*time.Second)
	add("degraded", cluster.Degraded, 40*time.Millisecond, 0)
	add("never read", cluster.Healthy, 10*time.Millisecond, 0)

	for work, want := range map[work][]string{
		probeWork: {"degraded", "quick to read", "long to read", "never read", "new", "dead", "rejected"},
		readWork:  {"long to read", "quick to read", "degraded", "never read", "new", "dead", "rejected"},
	} {
		var got []string
		for _, m := range f.ordered(members, work) {
			got = append(got, m.name())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("work %d: %s", work, diff)
		}
	}
}
