package test_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

const (
	// noticed is the time within which a change of a real cluster is told.
	noticed = 15 * time.Second
	// steady is the time for which a state that does not change must not flap.
	steady = 25 * time.Second
)

func TestARealFleetIsWatched(t *testing.T) {
	t.Parallel()
	fleet := realkube.Start(t, 3)
	one, two, three := fleet.Servers[0], fleet.Servers[1], fleet.Servers[2]
	a := programs.Aggregator(t, writeKubeconfig(t,
		contextOf("real-1", one), contextOf("real-2", two), contextOf("real-3", three),
		contextOf("stranger", two).token("nobody-knows-it"), contextOf("guest", three).token(three.Tokens["guest"])))
	watch := a.StartFleetctl(t, "watch", "-o", "jsonl")
	defer interrupt(t, watch)

	t.Run("and is healthy, but for those who may not", func(t *testing.T) {
		exits(t, a.Fleetctl(t, "wait", "--for=state=HEALTHY", "real-1", "real-2", "real-3", "-o", "name"), 0, "real-3\n", "")
		exits(t, a.Fleetctl(t, "wait", "--for=state=UNAUTHORIZED", "stranger", "guest"), 0, "", "")
		r := a.Fleetctl(t, "clusters")
		for name, want := range map[string]string{
			"real-1": "HEALTHY -", "real-2": "HEALTHY -", "real-3": "HEALTHY -",
			"stranger": "UNAUTHORIZED UNAUTHENTICATED", "guest": "UNAUTHORIZED FORBIDDEN",
		} {
			if line := strings.Join(lineOf(r.Stdout, name), " "); !strings.HasPrefix(line, name+" "+want+" ") {
				t.Errorf("%s: got %q, want %s", name, line, want)
			}
		}
	})
	refused := time.Now()
	t.Run("and counted by its states", func(t *testing.T) {
		page := overview(t, a)
		if s := page.GetStates(); s.GetTotal() != 5 || s.GetHealthy() != 3 || s.GetUnauthorized() != 2 || s.GetUnknown() != 0 {
			t.Errorf("got %v", s)
		}
		for reason, name := range map[fleetv1.Verdict_Reason]string{
			fleetv1.Verdict_REASON_UNAUTHENTICATED: "stranger", fleetv1.Verdict_REASON_FORBIDDEN: "guest",
		} {
			if !slices.ContainsFunc(page.GetReasons(), func(r *fleetv1.GetFleetOverviewResponse_Reason) bool {
				return r.GetReason() == reason && r.GetCount() == 1 && slices.Equal(r.GetClusters(), []string{name})
			}) {
				t.Errorf("%s is not among %v", name, page.GetReasons())
			}
		}
	})
	t.Run("and whom it refuses does not flap", func(t *testing.T) {
		<-time.After(time.Until(refused.Add(steady)))
		for name, reason := range map[string]fleetv1.Verdict_Reason{
			"stranger": fleetv1.Verdict_REASON_UNAUTHENTICATED, "guest": fleetv1.Verdict_REASON_FORBIDDEN,
		} {
			all := changes(t, watch, name)
			begin := slices.IndexFunc(all, in(unauthorized))
			for _, h := range all[begin:] {
				if v := h.GetObservation().GetVerdict(); h.GetState() != unauthorized || v.GetState() != unauthorized || v.GetReason() != reason || h.GetFlapping() {
					t.Errorf("got %v", h)
				}
			}
			if n := len(transitions(t, a, &fleetv1.ClusterSelector{Names: []string{name}})); n != 1 {
				t.Errorf("%s has changed its state %d times", name, n)
			}
			if h := liveHealth(t, a)[name]; h.GetObservation().GetAge().AsDuration() > noticed {
				t.Errorf("%s is not probed any more: %v", name, h)
			}
		}
	})
	t.Run("when one stops", func(t *testing.T) {
		fleet.Kill(0)
		stopped := time.Now()
		h := awaitChange(t, watch, "real-1", in(unreachable))
		if took := time.Since(stopped); took > noticed {
			t.Errorf("it was told after %s", took)
		}
		if v := h.GetObservation().GetVerdict(); v.GetReason() != fleetv1.Verdict_REASON_CONNECTION_REFUSED || v.GetBlame() != fleetv1.Verdict_BLAME_NETWORK {
			t.Errorf("got %v", v)
		}
		exits(t, a.Fleetctl(t, "wait", "--for=state=UNREACHABLE", "real-1"), 0, "real-1", "")
		if s := overview(t, a).GetStates(); s.GetHealthy() != 2 || s.GetUnreachable() != 1 || s.GetUnauthorized() != 2 {
			t.Errorf("got %v", s)
		}
	})
	t.Run("when it starts again", func(t *testing.T) {
		fleet.Revive(t, 0)
		ready := time.Now()
		awaitChange(t, watch, "real-1", in(healthy))
		if took := time.Since(ready); took > noticed {
			t.Errorf("it was told after %s", took)
		}
		r := a.Fleetctl(t, "history", "real-1", "-o", "jsonl")
		exits(t, r, 0, "", "")
		happened := printed[fleetv1.Transition](t, r.Stdout)
		slices.Reverse(happened)
		down := slices.IndexFunc(happened, func(t *fleetv1.Transition) bool { return t.GetFrom() == healthy && t.GetTo() == unreachable })
		if down < 0 || happened[len(happened)-1].GetTo() != healthy || !slices.IsSortedFunc(happened, byTime) || down == len(happened)-1 {
			t.Errorf("got %v", happened)
		}
	})
}

func byTime(a, b *fleetv1.Transition) int {
	return a.GetOccurredAt().AsTime().Compare(b.GetOccurredAt().AsTime())
}
