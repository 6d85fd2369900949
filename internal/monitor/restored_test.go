package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/monitor"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestAnObserverThatIsCutOffWhenItStartsAccusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.set(cluster.ConnectTimeout, names(20)...)
		m := run(t, w, monitor.Options{Keeper: w, Restored: healthyOnce(20)})
		m.Apply(definitions(20))
		start := time.Now()
		pass(3 * time.Minute)
		for _, r := range m.Records() {
			if r.State != cluster.Unknown || r.Known != cluster.Healthy {
				t.Fatalf("%+v", r)
			}
		}
		w.set("", names(20)...)
		pass(time.Minute)
		if n := count(m, cluster.Healthy); n != 20 {
			t.Errorf("%d clusters are healthy a minute after the cut", n)
		}
		if all := w.after(start, append(down(), cluster.Healthy)...); len(all) > 0 {
			t.Errorf("nothing has happened to the clusters, and told is %+v", all)
		}
	})
}

func TestWhatHasFailedWhileNobodyWatchedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.set(cluster.ConnectionRefused, names(8)...)
		m := run(t, w, monitor.Options{Keeper: w, Restored: healthyOnce(20)})
		m.Apply(definitions(20))
		start := time.Now()
		pass(30 * time.Second)
		if n := count(m, cluster.Unreachable); n != 8 {
			t.Errorf("%d clusters are unreachable", n)
		}
		all := w.after(start, down()...)
		for _, tr := range all {
			if tr.From != cluster.Healthy {
				t.Errorf("%+v", tr)
			}
		}
		if len(all) != 8 {
			t.Errorf("told is %+v", all)
		}
	})
}

// healthyOnce is what was kept of n clusters by a process that ended an hour ago, with wall times as a store has them.
func healthyOnce(n int) []health.Snapshot {
	ago := time.Now().Add(-time.Hour).Round(0)
	all := make([]health.Snapshot, n)
	for i := range all {
		all[i] = health.Snapshot{
			Cluster: name(i), State: cluster.Healthy, Known: cluster.Healthy, Since: ago, At: ago, LastSuccess: ago,
			Verdict: &cluster.Verdict{State: cluster.Healthy},
		}
	}
	return all
}
