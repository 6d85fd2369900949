package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestMostOfAFleetThatHangsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.set(cluster.NotReady, names(600)...)
		w.slow = cluster.DefaultProbeTimeout
		m := run(t, w, monitorOptions(w))
		start := time.Now()
		m.Apply(definitions(1000))
		pass(5 * time.Minute)
		if n := count(m, cluster.Degraded); n != 600 {
			t.Errorf("%d clusters are degraded, %d unknown", n, count(m, cluster.Unknown))
		}
		if told := w.after(start, append(down(), cluster.Unknown)...); len(told) != 600 {
			t.Errorf("%d transitions of 600 clusters", len(told))
		}
	})
}

func TestWhoComesToWatchLaterGetsWhatIsKnownByThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, 3)
		pass(time.Hour)
		r, ok := m.Changes().Latest(name(0))
		if !ok || time.Since(r.At) > 15*time.Second || r.Latency.N != 100 || r.Availability.Hour < 0.9 {
			t.Errorf("%+v, seen %v ago", r, time.Since(r.At))
		}
	})
}

func TestAClusterThatIsRelabeledStaysWhatItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := run(t, w, monitorOptions(w))
		all := definitions(3)
		m.Apply(all)
		pass(30 * time.Second)
		before := m.Record(name(1))
		all[1].Labels, all[1].Maintenance = map[string]string{"env": "prod"}, true
		m.Apply(all)
		after := m.Record(name(1))
		if after.State != cluster.Healthy || after.Since != before.Since || !after.Subject.Maintenance || after.Subject.Labels["env"] != "prod" {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if latest, _ := m.Changes().Latest(name(1)); latest.Subject != after.Subject {
			t.Error("watchers are not told")
		}
		all[2].Config = definitions(3)[2].Config
		m.Apply(all)
		if r := m.Record(name(2)); r.State != cluster.Unknown || r.Verdict != nil {
			t.Errorf("another cluster of the same name is what the first was: %+v", r)
		}
	})
}
