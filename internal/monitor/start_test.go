package monitor_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/monitor"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestTheDeadDoNotDelayTheFirstProbesOfTheLiving(t *testing.T) {
	for name, c := range map[string]struct {
		clusters, silent int
		within           time.Duration
		reason           cluster.Reason
	}{
		"few":                 {1000, 300, 12 * time.Second, cluster.ConnectTimeout},
		"many":                {1000, 900, 20 * time.Second, cluster.ConnectTimeout},
		"many, to the end":    {1000, 900, 20 * time.Second, cluster.ResponseTimeout},
		"of a large fleet":    {10_000, 4000, 24 * time.Second, cluster.ConnectTimeout},
		"many of a small one": {100, 90, 12 * time.Second, cluster.ConnectTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.slow = cluster.DefaultProbeTimeout
				w.set(c.reason, names(c.silent)...)
				m := run(t, w, monitorOptions(w))
				m.Apply(definitions(c.clusters))
				pass(c.within)
				late := 0
				for _, r := range m.Records()[c.silent:] {
					if r.Verdict == nil {
						late++
					}
				}
				if late > 0 {
					t.Errorf("%d of the living were not probed within %v", late, c.within)
				}
				var ages []time.Duration
				for range 60 {
					pass(time.Second)
					for _, r := range m.Records()[c.silent:] {
						ages = append(ages, time.Since(r.At))
					}
				}
				slices.Sort(ages)
				if p99 := ages[len(ages)*99/100]; p99 > 12*time.Second {
					t.Errorf("the age of healthy observations is %v at the 99th percentile", p99)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if most := max(64, c.clusters/2); w.most > most {
					t.Errorf("%d probes at once, with %d slots", w.most, most)
				}
			})
		})
	}
}

func TestTheLivingAreKnownAgainSoonAfterARestartHoweverManyAreDead(t *testing.T) {
	const clusters, silent = 1000, 900
	living := name(silent)
	for what, known := range map[string]cluster.State{
		"and were dead before": cluster.Unreachable, "and lived before": cluster.Healthy,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.set(cluster.ConnectTimeout, names(silent)...)
				restored := healthyOnce(clusters)
				for i := range silent {
					restored[i].State, restored[i].Known = known, known
				}
				m := run(t, w, monitor.Options{Keeper: w, Restored: restored})
				m.Apply(definitions(clusters))
				start := time.Now()
				soon := 25 * time.Second
				if known != cluster.Healthy {
					soon = 5 * time.Second
				}
				pass(soon)
				for range 120 {
					for _, r := range m.Records()[silent:] {
						if r.State != cluster.Healthy {
							t.Fatalf("%s is %s after %v", r.Subject.Name, r.State, time.Since(start))
						}
					}
					pass(time.Second)
				}
				told := w.after(start, cluster.Unknown, cluster.Unreachable)
				if i := slices.IndexFunc(told, func(tr health.Transition) bool { return tr.Cluster >= living }); i >= 0 {
					t.Errorf("told is %+v", told[i])
				}
			})
		})
	}
}

func TestTheManyThatAreNewAndDeadDoNotDelayTheFewThatLive(t *testing.T) {
	const living, clusters = 20, 128
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := run(t, w, monitorOptions(w))
		all := definitions(clusters)
		w.slow = cluster.DefaultProbeTimeout
		w.set(cluster.ResponseTimeout, names(clusters)[living:]...)
		m.Apply(all[:living])
		pass(time.Minute)
		m.Apply(all)
		for range 600 {
			pass(100 * time.Millisecond)
			for _, r := range m.Records()[:living] {
				if age := time.Since(r.At); age > 10300*time.Millisecond {
					t.Fatalf("%s was probed %v ago", r.Subject.Name, age)
				}
			}
		}
	})
}

func TestFirstProbesAreFewAtOnceHoweverSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clusters, working, took = 4000, 250, 2 * time.Second
		w := newWorld()
		w.latency = took
		m := run(t, w, monitorOptions(w))
		m.Apply(definitions(clusters))
		start := time.Now()
		pass(8 * time.Second)
		w.mu.Lock()
		most, first, settled := w.mostFull, 0, 0
		full := slices.DeleteFunc(slices.Clone(w.probes), func(p probed) bool { return p.depth != cluster.Full })
		for i, p := range full {
			within := func(d time.Duration) (n int) {
				for _, other := range full[:i+1] {
					if p.at.Sub(other.at) < d {
						n++
					}
				}
				return n
			}
			first = max(first, within(time.Second))
			if p.at.Sub(start) > 2*took {
				settled = max(settled, within(took))
			}
		}
		w.mu.Unlock()
		if first != working {
			t.Errorf("%d first probes were in their first second at once, want %d", first, working)
		}
		// Until the first answer it is not known that those which are late are not waiting in vain.
		if most > 2*working || settled > working {
			t.Errorf("%d first probes were under way at once, later %d, want %d and %d", most, settled, 2*working, working)
		}
		pass(time.Minute)
		if got := count(m, cluster.Healthy); got != clusters {
			t.Errorf("%d of %d clusters are healthy", got, clusters)
		}
	})
}
