package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/stalls"
)

const (
	// before is how long the fleet is watched before the first fault, after how long after the last.
	before, after = 2 * time.Second, 20 * time.Second
	// around is what a run may take beside the faults: it builds the programs, and judges.
	around = 10 * time.Minute
	// shown is how many violations of a rule a failed run tells of.
	shown = 8
	// stagger is the time between the beginnings of callers: a cluster has one connection for reads that stays, and those who
	// read at the same time make others.
	stagger = 700 * time.Millisecond
	// objectsOfAType is how many a cluster has of each type that is fetched.
	objectsOfAType = 5
)

// It has the machine to itself: other tests of the package begin when it has ended.
func TestWhatIsToldOfAFleetIsWhatIsWrongWithIt(t *testing.T) {
	played := *seed
	if played == 0 {
		played = uint64(time.Now().UnixNano())
	}
	t.Logf("play it again: go test -race -timeout %s ./test/faults -run '^%s$' -v -seed %d -clusters %d -duration %s",
		*duration+around, t.Name(), played, *clusters, *duration)
	s := start(t, simulator.Config{
		Clusters: *clusters, Seed: played, Latency: simulator.Constant(5 * time.Millisecond),
		Counts: map[string]int{"configmaps": objectsOfAType, "secrets": objectsOfAType},
	})
	s.awaitHealthy(t)
	s.warmUp(t)
	baseline, err := s.resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	plan := schedule.Generate(played, s.fleet.Names(), *duration, schedule.Acts())
	showsAll(t, plan)
	history, most := s.perform(t, plan)
	broken := map[string]int{}
	for _, v := range checker.Check(plan, history) {
		if broken[v.Rule]++; broken[v.Rule] <= shown {
			t.Error(v)
		}
	}
	if len(broken) > 0 {
		t.Errorf("how often each rule was broken: %v", broken)
	}
	s.awaitBaseline(t, baseline)
	s.bounded(t, baseline, most)
	s.keepsSecrets(t, 1<<20)
	told(t, plan, history)
	if t.Failed() {
		t.Log(plan)
	}
}

// perform plays the schedule while callers of all kinds do what they do, and returns what they were told.
func (s *subject) perform(t *testing.T, plan *schedule.Schedule) (*checker.History, resources) {
	t.Helper()
	h := checker.NewHistory()
	attentive, rest := context.WithCancel(t.Context())
	defer rest()
	busy, stop := context.WithCancel(attentive)
	defer stop()
	var group errgroup.Group
	var most resources
	delay := time.Duration(0)
	run := func(what string, f func() error) {
		group.Go(func() error {
			if err := f(); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		})
	}
	run("the observer of stalls", func() error {
		stalls.Observe(attentive, h, os.Getpid(), s.PID())
		return nil
	})
	for i := range 3 {
		run("an attentive watcher", func() error { return s.attend(attentive, h, fmt.Sprint("attentive ", i)) })
		run("a restless watcher", func() error {
			return s.comeAndGo(attentive, h, fmt.Sprint("restless ", i), rand.New(rand.NewPCG(plan.Seed, uint64(i))))
		})
	}
	caller := func(what string, f func() error) {
		at := delay
		delay += stagger
		run(what, func() error {
			pause(t, at)
			return f()
		})
	}
	caller("a prober", func() error { return s.probe(busy, h, 8, fleetv1.Verdict_DEPTH_FULL) })
	caller("a prober of few at once", func() error { return s.probe(busy, h, 6, fleetv1.Verdict_DEPTH_QUICK) })
	caller("a fetcher", func() error { return s.fetch(busy, h, 0, configMaps()) })
	caller("a fetcher of secrets", func() error {
		return s.fetch(busy, h, 8, &fleetv1.ResourceType{Version: "v1", Resource: "secrets"})
	})
	caller("a getter", func() error { return s.get(busy, h) })
	caller("a caller who leaves", func() error { return s.leave(busy, rand.New(rand.NewPCG(plan.Seed, 99))) })
	caller("a reader", func() error { return s.read(attentive, h) })
	run("the observer of resources", func() (err error) {
		most, err = s.sample(attentive)
		return err
	})

	plan.Delay(before)
	play(t, plan, h, s)
	stop()
	pause(t, after)
	s.finish(t, h)
	rest()
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	return h, most
}
