package health_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// fleet is clusters that are probed, judged and passed over in simulated time, as a monitor does it: each at its own
// phase and pace, with jitter, and all of them looked at every second.
type fleet struct {
	now     time.Duration
	guard   health.Guard
	j       health.Judgement
	members []*member
	random  *rand.Rand
	// cut tells whether a member cannot be reached at a time, silent how long a probe of it takes then.
	cut    func(member int, at time.Duration) bool
	silent time.Duration
	// suspect is how often the observer has become so.
	suspect int
}

type member struct {
	machine
	// due is when the next probe begins or the one under way ends.
	due    time.Duration
	under  bool
	began  time.Duration
	result what
}

// tick is how exact the simulated time is.
const tick = 50 * ms

func newFleet(n int, silent time.Duration, seed uint64) *fleet {
	f := &fleet{guard: health.DefaultGuard(), random: rand.New(rand.NewPCG(seed, 4)), silent: silent}
	f.cut = func(int, time.Duration) bool { return false }
	for range n {
		m := &member{machine: *newMachine()}
		m.due = time.Duration(f.random.Int64N(int64(m.rules.Interval)))
		f.members = append(f.members, m)
	}
	f.run(time.Minute)
	f.forget()
	return f
}

// run lets time pass.
func (f *fleet) run(d time.Duration) {
	for end := f.now + d; f.now < end; f.now += tick {
		for i, m := range f.members {
			f.probe(i, m)
		}
		if f.now%second == 0 {
			f.judge()
		}
	}
}

// probe begins and ends the probes of a member that are due. A probe fails if the member is cut off when it begins or
// ends.
func (f *fleet) probe(i int, m *member) {
	for m.due <= f.now {
		if !m.under {
			m.under, m.began, m.result = true, m.due, healthy
			took := tick
			if f.cut(i, m.due) {
				m.result, took = unreachable, f.silent
			}
			m.due += took
			continue
		}
		if f.cut(i, m.due) {
			m.result = unreachable
		}
		o := m.result.observation(at(m.due))
		o.Took = m.due - m.began
		m.observe(o, f.j)
		next := m.rules.Next(m.status)
		m.under = false
		m.due += time.Duration(float64(next) * (0.9 + 0.2*f.random.Float64()))
	}
}

func (f *fleet) judge() {
	var base []health.View
	for _, m := range f.members {
		if v, counts := m.status.View(); counts {
			base = append(base, v)
		}
	}
	before := f.j
	f.j = f.guard.Judge(before, at(f.now), base)
	if f.j.Suspect && !before.Suspect {
		f.suspect++
	}
	for _, m := range f.members {
		if before.Suspect && !f.j.Suspect {
			m.status = m.rules.Resume(m.status)
		}
		m.do(pass, at(f.now), f.j)
	}
}

// stop lets time pass in which nothing runs, as when the process is stopped.
func (f *fleet) stop(d time.Duration) {
	f.now += d
	for _, m := range f.members {
		m.due += d
	}
}

func (f *fleet) forget() {
	f.suspect = 0
	for _, m := range f.members {
		m.changes = nil
	}
}

// changed returns how many changes there have been to any of the states.
func (f *fleet) changed(to ...cluster.State) (n int) {
	for _, m := range f.members {
		for _, c := range m.changes {
			for _, s := range to {
				if c.To == s {
					n++
				}
			}
		}
	}
	return n
}

func (f *fleet) downs() int {
	return f.changed(cluster.Degraded, cluster.Unreachable, cluster.Unauthorized)
}

// shown returns how many members are shown in a state.
func (f *fleet) shown(s cluster.State) (n int) {
	for _, m := range f.members {
		if m.status.Shown() == s {
			n++
		}
	}
	return n
}

// first cuts off so many of the members from now on.
func (f *fleet) first(n int) {
	f.cut = func(i int, _ time.Duration) bool { return i < n }
}

// eachOutage runs a test with networks that refuse and that are silent, and with several phases of the probes: the fewer
// the clusters, the more.
func eachOutage(t *testing.T, size int, test func(t *testing.T, silent time.Duration, seed uint64)) {
	t.Helper()
	seeds := min(20, 400/size)
	for _, silent := range []time.Duration{tick, 3 * second, 5 * second} {
		t.Run(fmt.Sprint("failing takes ", silent), func(t *testing.T) {
			for seed := range uint64(seeds) {
				test(t, silent, seed)
			}
		})
	}
}

func TestNobodyGoesDownWhenTheObserverIsCutOff(t *testing.T) {
	for _, size := range []int{3, 4, 10, 200} {
		for _, lasting := range []time.Duration{4 * second, 12 * second, 45 * second, 10 * time.Minute} {
			t.Run(fmt.Sprintf("%d clusters for %v", size, lasting), func(t *testing.T) {
				eachOutage(t, size, func(t *testing.T, silent time.Duration, seed uint64) {
					f := newFleet(size, silent, seed)
					if got := f.shown(cluster.Healthy); got != size {
						t.Fatalf("seed %d: %d of %d healthy to begin with", seed, got, size)
					}
					f.first(size)
					f.run(lasting)
					if got := f.shown(cluster.Healthy); lasting >= 45*second && got > 0 {
						t.Errorf("seed %d: %d are shown as healthy while nobody can know", seed, got)
					}
					f.first(0)
					f.run(time.Minute)
					if f.downs() > 0 || f.changed(cluster.Unknown) > 0 || f.shown(cluster.Healthy) != size || f.j.Suspect {
						t.Errorf("seed %d: %d down, %d unknown; a minute after, %d healthy, suspect %v; want no change, all healthy",
							seed, f.downs(), f.changed(cluster.Unknown), f.shown(cluster.Healthy), f.j.Suspect)
					}
				})
			})
		}
	}
}

func TestTwoClustersAreNeverSuspect(t *testing.T) {
	eachOutage(t, 2, func(t *testing.T, silent time.Duration, seed uint64) {
		f := newFleet(2, silent, seed)
		f.first(2)
		f.run(time.Minute)
		if f.downs() != 2 || f.suspect > 0 {
			t.Errorf("seed %d: %d down, want 2", seed, f.downs())
		}
		f.first(0)
		f.run(time.Minute)
		if f.shown(cluster.Healthy) != 2 {
			t.Errorf("seed %d: %d healthy a minute after, want 2", seed, f.shown(cluster.Healthy))
		}
	})
}

func TestWhoIsReallyDownIsReported(t *testing.T) {
	cases := []struct{ size, down int }{{1, 1}, {2, 1}, {3, 1}, {3, 2}, {4, 2}, {5, 2}, {200, 1}, {200, 80}, {200, 109}}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d of %d", c.down, c.size), func(t *testing.T) {
			eachOutage(t, c.size, func(t *testing.T, silent time.Duration, seed uint64) {
				f := newFleet(c.size, silent, seed)
				f.first(c.down)
				f.run(45 * second)
				if f.downs() != c.down || f.shown(cluster.Unreachable) != c.down || f.suspect > 0 {
					t.Errorf("seed %d: %d went down, %d are, suspect %d times; want %d, not suspect", seed, f.downs(), f.shown(cluster.Unreachable), f.suspect, c.down)
				}
				if got := f.shown(cluster.Healthy); got != c.size-c.down {
					t.Errorf("seed %d: %d healthy, want %d", seed, got, c.size-c.down)
				}
				f.first(0)
				f.run(time.Minute)
				if got := f.shown(cluster.Healthy); got != c.size {
					t.Errorf("seed %d: %d healthy a minute after, want all", seed, got)
				}
			})
		})
	}
}

func TestWhoStaysDownAfterTheObserverWasCutOffIsReported(t *testing.T) {
	eachOutage(t, 200, func(t *testing.T, silent time.Duration, seed uint64) {
		f := newFleet(200, silent, seed)
		f.first(200)
		f.run(5 * time.Minute)
		f.first(80)
		f.run(time.Minute)
		if f.downs() != 80 || f.shown(cluster.Unreachable) != 80 || f.shown(cluster.Healthy) != 120 {
			t.Errorf("seed %d: %d went down, %d are, %d healthy; want 80, 80, 120", seed, f.downs(), f.shown(cluster.Unreachable), f.shown(cluster.Healthy))
		}
	})
}

func TestWhoWasDownBeforeTheObserverIsCutOffStaysDown(t *testing.T) {
	eachOutage(t, 200, func(t *testing.T, silent time.Duration, seed uint64) {
		f := newFleet(200, silent, seed)
		f.first(80)
		f.run(time.Minute)
		f.first(200)
		f.run(5 * time.Minute)
		if f.downs() != 80 || f.shown(cluster.Unreachable) != 80 || f.shown(cluster.Unknown) != 120 {
			t.Errorf("seed %d: %d went down, %d are, %d unknown; want 80, 80, 120", seed, f.downs(), f.shown(cluster.Unreachable), f.shown(cluster.Unknown))
		}
	})
}

func TestMostOfTheFleetFailingIsNotBelieved(t *testing.T) {
	eachOutage(t, 200, func(t *testing.T, silent time.Duration, seed uint64) {
		f := newFleet(200, silent, seed)
		f.first(120)
		f.run(5 * time.Minute)
		if f.downs() != 0 || f.shown(cluster.Unknown) != 120 || f.shown(cluster.Healthy) != 80 || f.suspect != 1 {
			t.Errorf("seed %d: %d went down, %d unknown, %d healthy, suspect %d times; want 0, 120, 80, once",
				seed, f.downs(), f.shown(cluster.Unknown), f.shown(cluster.Healthy), f.suspect)
		}
	})
}

func TestNobodyGoesDownWhenTheObserverWakesUpWithoutNetwork(t *testing.T) {
	for _, size := range []int{3, 200} {
		t.Run(fmt.Sprint(size, " clusters"), func(t *testing.T) {
			eachOutage(t, size, func(t *testing.T, silent time.Duration, seed uint64) {
				f := newFleet(size, silent, seed)
				f.stop(2 * time.Minute)
				f.first(size)
				f.run(30 * second)
				f.first(0)
				f.run(time.Minute)
				if f.downs() > 0 || f.changed(cluster.Unknown) != size || f.shown(cluster.Healthy) != size {
					t.Errorf("seed %d: %d went down, %d unknown, %d healthy in the end; want 0, all, all", seed, f.downs(), f.changed(cluster.Unknown), f.shown(cluster.Healthy))
				}
			})
		})
	}
}

func TestAFewDownClustersAreReportedWhenTheObserverWakesUp(t *testing.T) {
	eachOutage(t, 200, func(t *testing.T, silent time.Duration, seed uint64) {
		f := newFleet(200, silent, seed)
		f.stop(2 * time.Minute)
		f.first(40)
		f.run(time.Minute)
		if f.downs() != 40 || f.shown(cluster.Healthy) != 160 || f.suspect > 0 {
			t.Errorf("seed %d: %d went down, %d healthy, suspect %d times; want 40, 160, never", seed, f.downs(), f.shown(cluster.Healthy), f.suspect)
		}
	})
}
