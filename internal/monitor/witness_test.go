package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestAFaultIsFoundInTimeInAFleetOfAnySize(t *testing.T) {
	for _, size := range []int{3, 5, 20, 200} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				watch(t, w, size)
				late, longest := 0, time.Duration(0)
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
					took := down[0].At.Sub(began)
					if longest = max(longest, took); took > 18*time.Second {
						late++
					}
					w.set("", name)
					pass(30 * time.Second)
				}
				if late > 0 {
					t.Errorf("%d of 50 were found late, after %s at most", late, longest)
				}
			})
		})
	}
}
