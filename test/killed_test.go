package test_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// The aggregator is killed 10 times, and as often as KILLS says where that is set: KILLS=50 takes four minutes.
const (
	killsVariable = "KILLS"
	defaultKills  = 10
)

const (
	killedClusters = 1000
	// lifetime is how long the aggregator lives before it is killed: long enough for states to change.
	shortestLife, longestLife = 2 * time.Second, 4 * time.Second
	// roundTime is what a life and a start take on average, or more.
	roundTime = 5 * time.Second
	// serviceTime is how long the aggregator, built with the race detector, may take from its start to its first answer on
	// a machine that is busy; one that is not must see it within goodServiceTime, which the log tells.
	serviceTime, goodServiceTime = 5 * time.Second, 2 * time.Second
)

func TestAKilledAggregatorServesAgainAndHasForgottenNothing(t *testing.T) {
	kills := defaultKills
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsVariable, err)
		}
	}
	simulation := programs.Simulation(t, flapping(time.Duration(kills)*roundTime), "--clusters", fmt.Sprint(killedClusters))
	address := freeAddress(t)
	start := func() (a *product.Aggregator, took time.Duration) {
		began := time.Now()
		a = programs.Aggregator(t, simulation.Kubeconfig, "--data-dir", filepath.Join(filepath.Dir(simulation.Kubeconfig), "data"),
			"--grpc-address", address, "--probe-interval", "2s")
		for _, err := range a.Client(t).ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{PageSize: 1}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		return a, time.Since(began)
	}
	a, _ := start()
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	defer callers.Wait()
	defer stop()
	caller, err := client.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	watchers := []*watcher{{}, {}, {restless: true}, {restless: true}}
	for _, w := range watchers {
		callers.Go(func() { w.run(ctx, t, caller) })
	}
	reader := &historian{seen: map[string]bool{}}
	callers.Go(func() { reader.run(ctx, t, caller) })

	var times []time.Duration
	for range kills {
		<-time.After(shortestLife + rand.N(longestLife-shortestLife))
		a.Kill(t)
		var took time.Duration
		a, took = start()
		if times = append(times, took); took > serviceTime {
			t.Errorf("the first answer came after %s", took)
		}
	}
	slices.Sort(times)
	slow := len(times) - len(slices.DeleteFunc(slices.Clone(times), func(d time.Duration) bool { return d > goodServiceTime }))
	t.Logf("%d starts: the first answer came after %s in the median, at most %s; %d took more than %s", kills, times[len(times)/2], times[len(times)-1], slow, goodServiceTime)

	awaitHealth(t, a, atTheEnd)
	for i, w := range watchers {
		if err := process.Poll(t.Context(), func() (bool, error) {
			err := w.differs(liveHealth(t, a))
			return err == nil, err
		}); err != nil {
			t.Errorf("watcher %d: %v", i, err)
		}
	}
	stop()
	callers.Wait()
	for i, w := range watchers {
		t.Logf("watcher %d: %d events, %d resets, resumed %d times", i, w.events, w.resets, w.resumed)
		if w.resets <= kills/2 || w.restless && w.resumed == 0 {
			t.Errorf("watcher %d has hardly met a kill", i)
		}
	}
	reader.check(t, transitions(t, a, nil))
}

// flapping is a scenario in which many clusters come and go for a time; afterwards some are down, and nothing changes.
func flapping(during time.Duration) string {
	var faults strings.Builder
	faults.WriteString("faults:\n")
	for i := range 3 {
		fmt.Fprintf(&faults, "- {clusters: sim-0%d*, fault: flap, as: error-503, period: 6s, from: %ds, to: %s}\n", i+1, 2*i, during)
	}
	fmt.Fprintf(&faults, "- {clusters: %q, fault: not-ready, from: %s}\n", "sim-01*, sim-09*", during)
	return faults.String()
}

// atTheEnd tells whether a cluster is as the scenario leaves it.
func atTheEnd(h *fleetv1.ClusterHealth) bool {
	down := strings.HasPrefix(h.GetCluster(), "sim-01") || strings.HasPrefix(h.GetCluster(), "sim-09")
	return down && in(degraded)(h) || !down && in(healthy)(h)
}
