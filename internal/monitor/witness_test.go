package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// inTime is the promise, and the time of probes and of waiting for those that are begun with them.
const inTime = 15*time.Second + 200*time.Millisecond

func TestAFaultIsFoundInTimeInAFleetOfAnySize(t *testing.T) {
	for _, size := range []int{3, 5, 20, 66, 200, 1000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				watch(t, w, size)
				found := times{}
				for range 50 {
					pass(time.Duration(rand.IntN(10_000)) * time.Millisecond)
					name := names(size)[rand.IntN(size)]
					began := time.Now()
					w.set(cluster.ConnectionRefused, name)
					pass(30 * time.Second)
					down := w.after(began, cluster.Unreachable)
					if len(down) != 1 || down[0].Cluster != name {
						t.Fatalf("%s fails, and told is %+v", name, down)
					}
					found = append(found, down[0].At.Sub(began))
					w.set("", name)
					pass(30 * time.Second)
				}
				if last := found.sorted(t)[len(found)-1]; last > inTime {
					t.Errorf("a fault was found after %s", last)
				}
			})
		})
	}
}

// Each fault has to be cleared of being our own by clusters that are reached after it began, also where others began so
// shortly before that these have been asked for already.
func TestFaultsThatBeginOneAfterTheOtherAreEachFoundInTime(t *testing.T) {
	for before, prior := range map[string]cluster.Reason{"healthy before": "", "not ready before": cluster.NotReady} {
		for _, size := range []int{20, 66, 200} {
			t.Run(fmt.Sprintf("%s/%d", before, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					watch(t, w, size)
					found := times{}
					for range 20 {
						victims := rand.Perm(size)[:size/4]
						for _, i := range victims {
							w.set(prior, name(i))
						}
						pass(30 * time.Second)
						found = append(found, w.refuse(t, victims, 30*time.Second/time.Duration(len(victims)))...)
						pass(30 * time.Second)
					}
					found.sorted(t)
					if most, last := found[len(found)*99/100], found[len(found)-1]; most > inTime || last > inTime+health.DefaultRules().Confirm {
						t.Errorf("99 %% of the faults were found within %s, the last after %s", most, last)
					}
				})
			})
		}
	}
}

// refuse lets clusters refuse connections, one after the other within some time each, and all be well again. It returns how
// long it took until each was told.
func (w *world) refuse(t *testing.T, victims []int, each time.Duration) (found times) {
	t.Helper()
	began := map[string]time.Time{}
	for _, i := range victims {
		pass(time.Duration(rand.Int64N(int64(each))))
		began[name(i)] = time.Now()
		w.set(cluster.ConnectionRefused, name(i))
	}
	pass(30 * time.Second)
	for name, at := range began {
		down := w.after(at, cluster.Unreachable)
		i := slices.IndexFunc(down, func(tr health.Transition) bool { return tr.Cluster == name })
		if i < 0 {
			t.Fatalf("%s fails, and is not told", name)
		}
		found = append(found, down[i].At.Sub(at))
		w.set("", name)
	}
	return found
}

// times are how long it took until faults were found.
type times []time.Duration

func (all times) sorted(t *testing.T) times {
	t.Helper()
	slices.Sort(all)
	t.Logf("half of %d were found within %s, 99 %% within %s, the last after %s", len(all), all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
	return all
}
