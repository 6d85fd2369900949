package fleet

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func seen(state cluster.State, at time.Time) Observation {
	return Observation{Verdict: &cluster.Verdict{State: state}, At: at}
}

func TestTheNewestObservationWins(t *testing.T) {
	var l latest
	m := &member{}
	early, late := time.Now(), time.Now().Add(time.Second)
	l.put(m, seen(cluster.Unreachable, late))
	returned := l.put(m, seen(cluster.Healthy, early))
	if got := l.get(m); got.Verdict.State != cluster.Unreachable || !got.LastSuccess.Equal(early) {
		t.Errorf("stored: %+v", got)
	}
	if returned.Verdict.State != cluster.Healthy || !returned.LastSuccess.Equal(early) {
		t.Errorf("returned to the one who came late: %+v", returned)
	}
}

func TestTheLastSuccessIsKept(t *testing.T) {
	var l latest
	m := &member{}
	start := time.Now()
	first := l.put(m, seen(cluster.Healthy, start))
	for i, state := range []cluster.State{cluster.Degraded, cluster.Unreachable, cluster.Unauthorized} {
		at := start.Add(time.Duration(i+1) * time.Second)
		if o := l.put(m, seen(state, at)); !o.LastSuccess.Equal(start) || !l.get(m).At.Equal(at) {
			t.Errorf("after %d failures: %+v", i+1, o)
		}
	}
	if first.Verdict.State != cluster.Healthy || !first.At.Equal(start) {
		t.Error("an observation has changed")
	}
}

func TestAClusterThatGoesDuringItsProbeLeavesNoTrace(t *testing.T) {
	for range 2000 {
		var l latest
		m := &member{}
		var both sync.WaitGroup
		both.Go(func() { l.put(m, seen(cluster.Healthy, time.Now())) })
		both.Go(func() {
			m.gone.Store(true)
			l.remove(m)
		})
		both.Wait()
		if o := l.get(m); o != nil {
			t.Fatalf("left: %+v", o)
		}
	}
}

func TestNothingIsStoredOverWhatCameMeanwhile(t *testing.T) {
	var l latest
	m := &member{}
	first, second, third := seen(cluster.Healthy, time.Now()), seen(cluster.Degraded, time.Now()), seen(cluster.Unreachable, time.Now())
	for _, step := range []struct {
		old, stored *Observation
		want        bool
	}{{nil, &first, true}, {nil, &third, false}, {&first, &second, true}, {&first, &third, false}} {
		if swapped := l.swap(m, step.old, step.stored); swapped != step.want {
			t.Errorf("swapped: %v, want %v", swapped, step.want)
		}
	}
	if l.get(m) != &second {
		t.Errorf("stored: %+v", l.get(m))
	}
}

func TestConcurrentObservationsLoseNeitherTheNewestNorTheLastSuccess(t *testing.T) {
	start := time.Now()
	for range 5000 { // few of them meet
		var l latest
		m := &member{}
		l.put(m, seen(cluster.Healthy, start))
		var both sync.WaitGroup
		var ready atomic.Int32
		for i, state := range []cluster.State{cluster.Healthy, cluster.Unreachable} {
			both.Go(func() {
				for ready.Add(1); ready.Load() < 2; {
					runtime.Gosched()
				}
				l.put(m, seen(state, start.Add(time.Duration(i+1)*time.Second)))
			})
		}
		both.Wait()
		got := l.get(m)
		if !got.At.Equal(start.Add(2*time.Second)) || !got.LastSuccess.Equal(start.Add(time.Second)) {
			t.Fatalf("at %v, last success %v", got.At.Sub(start), got.LastSuccess.Sub(start))
		}
	}
}
