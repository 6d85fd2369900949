package network_test

import (
	"slices"
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

func TestConnectionsThatGoSilentAreFoundAndMadeAnew(t *testing.T) {
	apart(t, func() {
		r := startRun(t, newWorld(t, 60, ""))
		halfOpen, deaf := sim(1, 6), sim(7, 9)
		denied := []struct {
			cluster string
			how     netns.Denial
			fault   schedule.Episode
		}{
			{"sim-0010", netns.NoRoute, denial("no route")},
			{"sim-0011", netns.Prohibited, denial("a route that prohibits")},
			{"sim-0012", netns.Discarded, denial("a route that discards")},
			{"sim-0013", netns.NoHost, rumor("a router that knows no such host")},
			{"sim-0014", netns.Filtered, rumor("a router that prohibits")},
		}
		began := r.history.Now()
		faults := r.begin(silence("half-open connections"), halfOpen, func() { r.Silence(r.of(halfOpen...)...) })
		faults = append(faults, r.begin(silence("lost requests"), deaf, func() { r.LoseRequests(r.of(deaf...)...) })...)
		for _, way := range denied {
			faults = append(faults, r.begin(way.fault, []string{way.cluster}, func() { r.Deny(way.how, r.of(way.cluster)[0]) })...)
		}
		faulty := slices.Concat(halfOpen, deaf, sim(10, 14))
		r.awaitState(t, patience, unreachable, faulty)
		r.end(faults, func() {
			r.Heal(r.of(halfOpen...)...)
			r.FindRequests(r.of(deaf...)...)
			for _, way := range denied {
				r.Allow(way.how, r.of(way.cluster)[0])
			}
		})
		r.awaitState(t, patience, healthy, faulty)
		r.conclude(t)
		for _, name := range faulty {
			failed := r.firstSight(name, began, func(h *fleetv1.ClusterHealth) bool {
				return h.GetObservation().GetVerdict().GetState() == unreachable
			}) - began
			told := r.firstSight(name, began, func(h *fleetv1.ClusterHealth) bool { return h.GetState() == unreachable }) - began
			t.Logf("%s: a probe has failed after %s, it is unreachable after %s", name, failed, told)
			stalled := r.history.Stalled(schedule.Window{From: began, To: began + failed})
			if failed > found+busy+stalled {
				t.Errorf("%s: its silent connection was found after %s, %s of them stalled", name, failed, stalled)
			}
		}
	})
}
