package network_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

const (
	// dialing is what a connection attempt may take.
	dialing = 3 * time.Second
	// atOnce is less than that, also where the race detector slows the programs down.
	atOnce = 1500 * time.Millisecond
)

// way is how no connection to a cluster comes about.
type way struct {
	name   string
	lose   func(w *world, cluster string)
	reason fleetv1.Verdict_Reason
	silent bool
}

func ways() []way {
	denied := func(how netns.Denial) func(*world, string) {
		return func(w *world, cluster string) { w.Deny(how, w.of(cluster)[0]) }
	}
	const refused = fleetv1.Verdict_REASON_CONNECTION_REFUSED
	return []way{
		{"SYNs are lost", func(w *world, cluster string) { w.LoseRequests(w.of(cluster)...) }, fleetv1.Verdict_REASON_CONNECT_TIMEOUT, true},
		{"replies are lost, too", func(w *world, cluster string) { w.Silence(w.of(cluster)...) }, fleetv1.Verdict_REASON_CONNECT_TIMEOUT, true},
		{"there is no route", denied(netns.NoRoute), refused, false},
		{"our own machine prohibits it", denied(netns.Prohibited), refused, false},
		{"our own machine discards it", denied(netns.Discarded), refused, false},
		{"a router says that there is no such host", denied(netns.NoHost), refused, false},
		{"a router says that it is prohibited", denied(netns.Filtered), refused, false},
		{"nobody listens there", nil, refused, false},
	}
}

func TestHowNoConnectionComesAboutIsToldByItsReasonAndInItsTime(t *testing.T) {
	apart(t, func() {
		ways := ways()
		w := newWorld(t, len(ways)+5, "")
		names := sim(1, len(ways)+5)
		var silent []string
		for i, way := range ways {
			if way.silent {
				silent = append(silent, names[i])
			}
			if way.lose == nil {
				w.move(t, names[i], 1) // of which the kernel says that nobody is there
				continue
			}
			way.lose(w, names[i])
		}
		a := programs.Aggregator(t, w.kubeconfig, product.Unwatched)

		t.Run("by probes", func(t *testing.T) {
			stalled := observe(t, os.Getpid(), a.PID(), w.fleet.PID())
			var order []string
			results := map[string]*fleetv1.ProbeResult{}
			for result, err := range a.Client(t).ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{}).Results() {
				if err != nil {
					t.Fatal(err)
				}
				order = append(order, result.GetCluster())
				results[result.GetCluster()] = result
			}
			busy := stalled()
			for i, way := range ways {
				v := results[names[i]].GetObservation().GetVerdict()
				if v.GetState() != unreachable || v.GetReason() != way.reason || v.GetBlame() != fleetv1.Verdict_BLAME_NETWORK || v.GetHint() == "" {
					t.Errorf("%s: got %v", way.name, v)
				}
				tcp := slices.IndexFunc(v.GetChecks(), func(c *fleetv1.Check) bool { return c.GetKind() == fleetv1.Check_KIND_TCP })
				if tcp < 0 || v.GetChecks()[tcp].GetOutcome() != fleetv1.Check_OUTCOME_FAILED {
					t.Fatalf("%s: it is not TCP that failed: %v", way.name, v.GetChecks())
				}
				way.judge(t, v.GetChecks()[tcp].GetDuration().AsDuration(), busy)
			}
			for _, name := range names[len(ways):] {
				if v := results[name].GetObservation().GetVerdict(); v.GetState() != healthy {
					t.Errorf("nothing is wrong with %s: %v", name, v)
				}
			}
			silentLast(t, order, silent, busy)
		})
		t.Run("by reads", func(t *testing.T) {
			stalled := observe(t, os.Getpid(), a.PID(), w.fleet.PID())
			var order []string
			ended := map[string]*fleetv1.Completion{}
			for batch, err := range a.Client(t).FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{
				ResourceType:      &fleetv1.ResourceType{Resource: "configmaps", Version: "v1"},
				PerClusterTimeout: durationpb.New(2 * dialing),
			}).Results() {
				if err != nil {
					t.Fatal(err)
				}
				if batch.GetCompletion() != nil {
					order = append(order, batch.GetCluster())
					ended[batch.GetCluster()] = batch.GetCompletion()
				}
			}
			busy := stalled()
			for i, way := range ways {
				e := ended[names[i]]
				if got := "REASON_" + client.Reason(client.StatusError(e.GetError())); got != way.reason.String() {
					t.Errorf("%s: got %s, want %s: %v", way.name, got, way.reason, e)
				}
				way.judge(t, e.GetDuration().AsDuration(), busy)
			}
			for _, name := range names[len(ways):] {
				if e := ended[name]; e.GetError() != nil || e.GetItems() != 20 {
					t.Errorf("nothing is wrong with %s: %v", name, e)
				}
			}
			silentLast(t, order, silent, busy)
		})
	})
}

// judge checks the time that it took to fail, on a machine that let the processes wait for so long meanwhile.
func (w way) judge(t *testing.T, took, stalled time.Duration) {
	t.Helper()
	if w.silent && (took < dialing || took > dialing+time.Second+stalled) || !w.silent && took > atOnce+stalled {
		t.Errorf("%s: it failed after %s, %s of them stalled", w.name, took, stalled)
	}
}

// silentLast checks that nobody waited for those who are silent, unless the machine let all wait for longer than they do.
func silentLast(t *testing.T, order, silent []string, stalled time.Duration) {
	t.Helper()
	if atOnce+stalled > dialing {
		return
	}
	for i, name := range order {
		if slices.Contains(silent, name) != (i >= len(order)-len(silent)) {
			t.Errorf("%s is the one of %d that came at place %d: %v", name, len(order), i, order)
		}
	}
}
