package monitor_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestTheProbeOfARemovedClusterComesToNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, 10)
		w.setLatency(5 * time.Second)
		slow := w.made() // what was made before has ended
		for range 30 {
			pass(time.Second)
			if w.isProbed(name(7), slow) {
				break
			}
		}
		if !w.isProbed(name(7), slow) {
			t.Fatal("it is not being probed")
		}
		m.Apply(definitions(5))
		pass(time.Minute)
		if n := len(m.Records()); n != 5 || m.Record(name(7)) != nil {
			t.Errorf("%d records, %+v", n, m.Record(name(7)))
		}
		if _, known := m.Changes().Latest(name(7)); known {
			t.Error("watchers are told of it")
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, saved := w.saved[name(7)]; saved {
			t.Error("it is kept")
		}
	})
}

// isProbed reports whether one of the probes from the given one on is of the cluster and is still under way.
func (w *world) isProbed(name string, from int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.probes[from:], func(p probed) bool {
		return p.cluster == name && time.Since(p.at) < w.latency
	})
}

func TestTheManyThatBeginToFailDoNotDelayTheFewThatLive(t *testing.T) {
	const clusters, failing = 400, 360
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, clusters)
		w.mu.Lock()
		w.slow = cluster.DefaultProbeTimeout
		w.mu.Unlock()
		w.set(cluster.ServerError, names(failing)...)
		for range 60 {
			pass(time.Second)
			for _, r := range m.Records()[failing:] {
				// An interval, and a probe of one that was not yet known to fail.
				if age := time.Since(r.At); age > 16*time.Second {
					t.Fatalf("%s was probed %v ago", r.Subject.Name, age)
				}
			}
		}
		if n := count(m, cluster.Degraded); n != failing {
			t.Errorf("%d clusters are degraded", n)
		}
	})
}
