package network_test

import (
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
	// atOnce is less than that, on a machine that is busy.
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
		for i, way := range ways {
			if way.lose == nil {
				w.move(t, names[i], 1) // of which the kernel says that nobody is there
				continue
			}
			way.lose(w, names[i])
		}
		a := programs.Aggregator(t, w.kubeconfig, product.Unwatched)

		t.Run("by probes", func(t *testing.T) {
			began := time.Now()
			stream := a.Client(t).ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{})
			results := map[string]*fleetv1.ProbeResult{}
			came := map[string]time.Duration{}
			for result, err := range stream.Results() {
				if err != nil {
					t.Fatal(err)
				}
				results[result.GetCluster()], came[result.GetCluster()] = result, time.Since(began)
			}
			for i, way := range ways {
				v := results[names[i]].GetObservation().GetVerdict()
				if v.GetState() != unreachable || v.GetReason() != way.reason || v.GetBlame() != fleetv1.Verdict_BLAME_NETWORK || v.GetHint() == "" {
					t.Errorf("%s: got %v", way.name, v)
				}
				way.judge(t, came[names[i]])
				checks := v.GetChecks()
				last := checks[len(checks)-1]
				for _, c := range checks {
					if c.GetKind() == fleetv1.Check_KIND_TCP {
						last = c
					}
				}
				if last.GetKind() != fleetv1.Check_KIND_TCP || last.GetOutcome() != fleetv1.Check_OUTCOME_FAILED {
					t.Errorf("%s: the check that failed is not TCP: %v", way.name, checks)
				}
			}
			for _, name := range names[len(ways):] {
				if results[name].GetObservation().GetVerdict().GetState() != healthy || came[name] > atOnce+busy {
					t.Errorf("%s, with which nothing is wrong: after %s %v", name, came[name], results[name])
				}
			}
		})
		t.Run("by reads", func(t *testing.T) {
			began := time.Now()
			stream := a.Client(t).FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{
				ResourceType:      &fleetv1.ResourceType{Resource: "configmaps", Version: "v1"},
				PerClusterTimeout: durationpb.New(2 * dialing),
			})
			ended := map[string]*fleetv1.Completion{}
			came := map[string]time.Duration{}
			for batch, err := range stream.Results() {
				if err != nil {
					t.Fatal(err)
				}
				if batch.GetCompletion() != nil {
					ended[batch.GetCluster()], came[batch.GetCluster()] = batch.GetCompletion(), time.Since(began)
				}
			}
			for i, way := range ways {
				if got := "REASON_" + client.Reason(client.StatusError(ended[names[i]].GetError())); got != way.reason.String() {
					t.Errorf("%s: got %s, want %s: %v", way.name, got, way.reason, ended[names[i]])
				}
				way.judge(t, came[names[i]])
			}
			for _, name := range names[len(ways):] {
				if c := ended[name]; c.GetError() != nil || c.GetItems() != 20 || came[name] > atOnce+busy {
					t.Errorf("%s, with which nothing is wrong: after %s %v", name, came[name], c)
				}
			}
		})
	})
}

// judge checks the time after which a failure was told.
func (w way) judge(t *testing.T, took time.Duration) {
	t.Helper()
	if w.silent && (took < dialing || took > dialing+busy) || !w.silent && took > atOnce {
		t.Errorf("%s: told after %s", w.name, took)
	}
}
