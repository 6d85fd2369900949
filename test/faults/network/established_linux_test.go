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
		denials := map[string]netns.Denial{
			"sim-0010": netns.NoRoute, "sim-0011": netns.Prohibited, "sim-0012": netns.Discarded, "sim-0013": netns.NoHost, "sim-0014": netns.Filtered,
		}
		began := r.history.Now()
		faults := r.begin(silence("half-open connections"), halfOpen, func() { r.Silence(r.of(halfOpen...)...) })
		faults = append(faults, r.begin(silence("lost requests"), deaf, func() { r.LoseRequests(r.of(deaf...)...) })...)
		for name, how := range denials {
			faults = append(faults, r.begin(denial("a way that is denied"), []string{name}, func() { r.Deny(how, r.of(name)[0]) })...)
		}
		faulty := slices.Concat(halfOpen, deaf, sim(10, 14))
		r.awaitState(t, patience, unreachable, faulty)
		r.end(faults, func() {
			r.Heal(r.of(halfOpen...)...)
			r.FindRequests(r.of(deaf...)...)
			for name, how := range denials {
				r.Allow(how, r.of(name)[0])
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
