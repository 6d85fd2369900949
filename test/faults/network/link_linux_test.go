package network_test

import (
	"slices"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

const (
	// many is how many clusters are cut off together.
	many = 200
	// outage is long enough to take most of them for unreachable, did one not doubt oneself: they fail three times in 15 s.
	outage = 20 * time.Second
)

func TestOurOwnLinkIsDownOrUnpluggedAndNobodyIsAccused(t *testing.T) {
	apart(t, func() {
		r := startRun(t, newWorld(t, many, ""))
		r.cutOff(t, r.Cut, r.Mend)
		r.cutOff(t, r.Unplug, r.Plug)
		r.conclude(t)
	})
}

func TestManyThatAreOutOfReachAreToldAndNobodyIsWhenAllAre(t *testing.T) {
	apart(t, func() {
		r := startRun(t, newWorld(t, many, ""))
		lost := sim(1, many*2/5)
		began := r.history.Now()
		faults := r.begin(silence("a black hole"), lost, func() { r.Silence(r.of(lost...)...) })
		r.awaitState(t, patience, unreachable, lost)
		t.Logf("all of %d are told after %s", len(lost), r.history.Now()-began)
		r.end(faults, func() { r.Heal(r.of(lost...)...) })
		healed := r.history.Now()
		r.awaitState(t, patience, healthy, lost)
		t.Logf("they are healthy %s after the end", r.history.Now()-healed)
		r.cutOff(t, func() { r.Silence(netns.Everything()) }, func() { r.Heal(netns.Everything()) })
		r.conclude(t)
	})
}

// cutOff cuts the aggregator off its whole fleet for some time. Nobody may be accused of it.
func (r *run) cutOff(t *testing.T, cut, mend func()) {
	t.Helper()
	from := r.history.Now()
	over := time.After(outage)
	cut()
	r.watch.await(t, patience, "all are in doubt and what was known of them is kept", func(known fleet) bool {
		return !slices.ContainsFunc(r.schedule.Clusters, func(name string) bool {
			h := known[name]
			return !h.GetObserverSuspect() || h.GetState() != unknown || h.GetKnownState() != healthy
		})
	})
	t.Logf("all are in doubt after %s", r.history.Now()-from)
	<-over
	mend()
	mended := r.history.Now()
	r.schedule.Blind = append(r.schedule.Blind, schedule.Window{From: from, To: mended})
	r.schedule.Sighted = reunited
	r.awaitState(t, reunited, healthy, r.schedule.Clusters)
	t.Logf("all are healthy %s after the end", r.history.Now()-mended)
	for _, change := range r.transitions(t, from) {
		if to := change.GetTo(); to != healthy && to != unknown {
			t.Errorf("%s is accused: %v", change.GetCluster(), change)
		}
	}
}
