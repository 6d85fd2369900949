package monitor_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/monitor"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestEveryClusterIsProbedAtItsPaceAndTheLoadIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		watch(t, w, 1000)
		start, from := time.Now(), w.made()
		pass(2 * time.Minute)
		w.mu.Lock()
		defer w.mu.Unlock()
		last, perSecond := map[string]time.Time{}, map[int]int{}
		for _, p := range w.probes[from:] {
			if before, again := last[p.cluster]; again {
				if gap := p.at.Sub(before); gap < 9*time.Second || gap > 11*time.Second {
					t.Fatalf("%s was probed after %v", p.cluster, gap)
				}
			}
			last[p.cluster] = p.at
			perSecond[int(p.at.Sub(start)/time.Second)]++
		}
		if len(last) != 1000 {
			t.Errorf("%d clusters were probed", len(last))
		}
		for second, n := range perSecond {
			if n > 200 {
				t.Errorf("%d probes in second %d", n, second)
			}
		}
	})
}

func TestGoroutinesThatSlowProbesTookEndWhenProbesAreFastAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		watch(t, w, 1000)
		w.setLatency(4 * time.Second)
		pass(time.Minute)
		w.setLatency(20 * time.Millisecond)
		pass(10 * time.Second)
		w.mu.Lock()
		most := w.most
		w.mu.Unlock()
		soon := runtime.NumGoroutine()
		pass(20 * time.Second)
		if later := runtime.NumGoroutine(); most < 300 || soon > 160 || later > 60 {
			t.Errorf("%d probes were under way at once; %d goroutines are left, and %d in the end", most, soon, later)
		}
	})
}

func TestTheLoadIsSpreadSoonAfterAFleetWasProbedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 200
		w := newWorld()
		watch(t, w, size)
		pass(10 * time.Second)
		start, from := time.Now(), w.made()
		pass(10 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		perSecond := map[int]int{}
		for _, p := range w.probes[from:] {
			perSecond[int(p.at.Sub(start)/time.Second)]++
		}
		for second, n := range perSecond {
			if n > size/5 {
				t.Errorf("%d probes in second %d", n, second)
			}
		}
	})
}

func TestAFullProbeComesFirstAndThenEveryFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		watch(t, w, 3)
		pass(21 * time.Minute)
		w.mu.Lock()
		defer w.mu.Unlock()
		full := map[string]int{}
		seen := map[string]bool{}
		for _, p := range w.probes {
			if !seen[p.cluster] && p.depth != cluster.Full {
				t.Errorf("the first probe of %s is quick", p.cluster)
			}
			seen[p.cluster] = true
			if p.depth == cluster.Full {
				full[p.cluster]++
			}
		}
		for name, n := range full {
			if n < 4 || n > 6 {
				t.Errorf("%s had %d full probes in 21 minutes", name, n)
			}
		}
	})
}

// fault is what the script of a test does to a cluster, and by when it has to be told.
type fault struct {
	reason cluster.Reason
	within time.Duration
}

func TestFaultsAreFoundInTimeWithTheirReasonAndNothingElseIs(t *testing.T) {
	faults := []fault{
		{cluster.ConnectionRefused, 15 * time.Second},
		{cluster.NotReady, 15 * time.Second},
		{cluster.ServerError, 15 * time.Second},
		{cluster.Unauthenticated, 15 * time.Second},
		{cluster.TLSExpired, 15 * time.Second},
		{cluster.ConnectTimeout, 25 * time.Second},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		watch(t, w, 1000)
		random := rand.New(rand.NewPCG(1, 2))
		start := time.Now()
		free := names(1000)
		broken, slow, wrong := 0, 0, 0
		recoveries, late := 0, 0
		type ongoing struct {
			name  string
			fault fault
			began time.Time
			ended time.Time
		}
		var open, mended []ongoing
		for time.Since(start) < 10*time.Minute {
			i := random.IntN(len(free))
			o := ongoing{name: free[i], fault: faults[random.IntN(len(faults))], began: time.Now()}
			free = slices.Delete(free, i, i+1)
			w.set(o.fault.reason, o.name)
			open = append(open, o)
			broken++
			pass(time.Duration(500+random.IntN(1000)) * time.Millisecond)
			for len(open) > 0 && time.Since(open[0].began) > 45*time.Second {
				open[0].ended = time.Now()
				w.set("", open[0].name)
				mended = append(mended, open[0])
				open = open[1:]
			}
		}
		for _, o := range open {
			o.ended = time.Now()
			w.set("", o.name)
			mended = append(mended, o)
		}
		pass(30 * time.Second)
		told := map[string][]health.Transition{}
		for _, tr := range w.after(start, cluster.Healthy, cluster.Degraded, cluster.Unreachable, cluster.Unauthorized, cluster.Unknown) {
			told[tr.Cluster] = append(told[tr.Cluster], tr)
		}
		for _, o := range mended {
			all := told[o.name]
			if o.ended.Sub(o.began) < 30*time.Second {
				continue // the script ended before it had to be found
			}
			if len(all) != 2 || all[0].To != o.fault.reason.State() || all[1].To != cluster.Healthy {
				t.Fatalf("%s had %s, and was told to be %+v", o.name, o.fault.reason, all)
			}
			if all[0].At.Sub(o.began) > o.fault.within {
				slow++
			}
			if all[0].Reason != o.fault.reason {
				wrong++
			}
			recoveries++
			if all[1].At.Sub(o.ended) > 15*time.Second {
				late++
			}
		}
		for name, all := range told {
			if !slices.ContainsFunc(mended, func(o ongoing) bool { return o.name == name }) {
				t.Errorf("%s was never broken, and was told to be %+v", name, all)
			}
		}
		if slow*100 > broken || wrong*100 > broken || late*100 > recoveries {
			t.Errorf("of %d faults %d were found late and %d with another reason; of %d recoveries %d were late", broken, slow, wrong, recoveries, late)
		}
		if broken < 400 {
			t.Errorf("only %d faults", broken)
		}
	})
}

func TestTheDeadDoNotDelayTheLiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, 1000)
		w.set(cluster.ConnectTimeout, names(300)...)
		var ages []time.Duration
		for range 120 {
			pass(time.Second)
			for _, r := range m.Records()[300:] {
				ages = append(ages, time.Since(r.At))
			}
		}
		slices.Sort(ages)
		if p99 := ages[len(ages)*99/100]; p99 > 12*time.Second {
			t.Errorf("the age of healthy observations is %v at the 99th percentile", p99)
		}
		if n := count(m, cluster.Unreachable); n != 300 {
			t.Errorf("%d clusters are unreachable", n)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.most > 500 {
			t.Errorf("%d probes at once, with half as many slots as clusters", w.most)
		}
	})
}

func TestTheLoadIsTheSameWhateverTheHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		watch(t, w, 200)
		perMinute := func() int {
			before := w.made()
			pass(time.Minute)
			return w.made() - before
		}
		healthy := perMinute()
		w.set(cluster.ConnectionRefused, names(80)...)
		pass(time.Minute)
		if failing := perMinute(); failing > healthy*11/10 {
			t.Errorf("%d probes a minute with failing clusters, %d without", failing, healthy)
		}
	})
}

func TestTheObserverThatIsCutOffAccusesNobody(t *testing.T) {
	for reason, what := range map[cluster.Reason]string{cluster.ConnectionRefused: "at once", cluster.ConnectTimeout: "in silence"} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := watch(t, w, 200)
				start := time.Now()
				w.set(reason, names(200)...)
				pass(3 * time.Minute)
				if n := count(m, cluster.Unknown); n != 200 {
					t.Errorf("%d clusters are unknown", n)
				}
				for _, r := range m.Records() {
					if r.Known != cluster.Healthy || !r.Suspect {
						t.Fatalf("%+v", r)
					}
				}
				w.set("", names(200)...)
				pass(time.Minute)
				if n := count(m, cluster.Healthy); n != 200 {
					t.Errorf("%d clusters are healthy a minute after the cut", n)
				}
				if told := w.after(start, down()...); len(told) != 0 {
					t.Errorf("%d clusters were accused, such as %+v", len(told), told[0])
				}
			})
		})
	}
}

func TestARealOutageOfManyIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, 200)
		w.set(cluster.ConnectionRefused, names(80)...)
		pass(time.Minute)
		if n := count(m, cluster.Unreachable); n != 80 {
			t.Errorf("%d clusters are unreachable", n)
		}
	})
}

func TestNothingHealthyIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, 50)
		w.mu.Lock()
		w.frozen = true
		w.mu.Unlock()
		for range 60 {
			pass(time.Second)
			for _, r := range m.Records() {
				if r.State == cluster.Healthy && time.Since(r.At) > 35*time.Second {
					t.Fatalf("%s is healthy and was seen %v ago", r.Subject.Name, time.Since(r.At))
				}
			}
		}
		if n := count(m, cluster.Unknown); n != 50 {
			t.Errorf("%d clusters are unknown", n)
		}
	})
}

func TestEveryTraceOfARemovedClusterGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := watch(t, w, 10)
		m.Apply(definitions(5))
		probes := w.made()
		pass(time.Minute)
		if n := len(m.Records()); n != 5 || m.Record(name(7)) != nil {
			t.Errorf("%d records", n)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range w.probes[probes:] {
			if p.cluster > name(4) && !p.at.Before(time.Now().Add(-50*time.Second)) {
				t.Errorf("%s is probed", p.cluster)
			}
		}
		for i := range 10 {
			_, saved := w.saved[name(i)]
			if gone := i >= 5; saved == gone || gone && !slices.Contains(w.forgotten, name(i)) {
				t.Errorf("%s: kept %v, forgotten %q", name(i), saved, w.forgotten)
			}
		}
	})
}

func TestWhatWasKnownIsShownUntilTheClusterIsProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.latency = time.Second
		long := time.Now().Add(-time.Hour)
		verdict := &cluster.Verdict{State: cluster.Unreachable, Reason: cluster.ConnectionRefused}
		m := run(t, w, monitor.Options{Keeper: w, Restored: []health.Snapshot{
			{Cluster: name(0), State: cluster.Healthy, Known: cluster.Healthy, At: long, Since: long},
			{Cluster: name(1), State: cluster.Unreachable, Known: cluster.Unreachable, At: long, Since: long, Verdict: verdict},
			{Cluster: "gone", State: cluster.Healthy, Known: cluster.Healthy, At: long},
		}})
		m.Apply(definitions(3))
		first := m.Record(name(0))
		if first.State != cluster.Unknown || first.Known != cluster.Healthy || !first.Restored || !first.At.Equal(long) {
			t.Errorf("%+v", first)
		}
		if n := m.Record(name(2)); n.Known != cluster.Unknown || n.Restored {
			t.Errorf("%+v", n)
		}
		pass(20 * time.Second)
		if n := count(m, cluster.Healthy); n != 3 {
			t.Errorf("%d clusters are healthy", n)
		}
		if r := m.Record(name(0)); !r.Since.Equal(long) {
			t.Errorf("it has been healthy since %v, not since the start", r.Since)
		}
		// The first is what it was: nothing has changed. The second has recovered. The third is new.
		w.mu.Lock()
		defer w.mu.Unlock()
		var told []string
		for _, tr := range w.transitions {
			told = append(told, tr.Cluster+" "+tr.From.String()+" "+tr.To.String())
			if tr.From == cluster.Unreachable && tr.Lasted < time.Hour {
				t.Errorf("it was down for %v", tr.Lasted)
			}
		}
		slices.Sort(told)
		if want := []string{"c0001 UNREACHABLE HEALTHY", "c0002 UNKNOWN HEALTHY"}; !slices.Equal(told, want) {
			t.Errorf("got %q, want %q", told, want)
		}
		if !slices.Equal(w.forgotten, []string{"gone"}) {
			t.Errorf("forgotten: %q", w.forgotten)
		}
	})
}
