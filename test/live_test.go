package test_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// liveHealth returns what the monitor knows of each cluster.
func liveHealth(t *testing.T, a *product.Aggregator) map[string]*fleetv1.ClusterHealth {
	t.Helper()
	all := map[string]*fleetv1.ClusterHealth{}
	for h, err := range a.Client(t).ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{PageSize: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		all[h.GetCluster()] = h
	}
	return all
}

// awaitHealth looks at what the monitor knows until it is as it should be of each cluster, and returns that.
func awaitHealth(t *testing.T, a *product.Aggregator, done func(*fleetv1.ClusterHealth) bool) (all map[string]*fleetv1.ClusterHealth) {
	t.Helper()
	err := process.Poll(t.Context(), func() (bool, error) {
		all = liveHealth(t, a)
		var missing []error
		for name, h := range all {
			if !done(h) {
				missing = append(missing, fmt.Errorf("%s is %s: %v", name, h.GetState(), h.GetObservation().GetVerdict()))
			}
		}
		return len(missing) == 0, errors.Join(missing[:min(3, len(missing))]...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// in tells whether a cluster is in a state that is confirmed since the aggregator started.
func in(state fleetv1.Verdict_State) func(*fleetv1.ClusterHealth) bool {
	return func(h *fleetv1.ClusterHealth) bool { return h.GetState() == state && !h.GetRestored() }
}

// transitions returns the history, the earliest first.
func transitions(t *testing.T, a *product.Aggregator, selector *fleetv1.ClusterSelector) (all []*fleetv1.Transition) {
	t.Helper()
	for transition, err := range a.Client(t).ListTransitions(t.Context(), &fleetv1.ListTransitionsRequest{Selector: selector, PageSize: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, transition)
	}
	slices.Reverse(all)
	return all
}

// printed reads the messages that a fleetctl command has printed so far with -o jsonl.
func printed[M any, P interface {
	*M
	proto.Message
}](t *testing.T, text string) (messages []P) {
	t.Helper()
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			break // It is not whole yet.
		}
		message := P(new(M))
		if err := protojson.Unmarshal([]byte(line), message); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		messages = append(messages, message)
	}
	return messages
}

// changes are the changes that `fleetctl watch -o jsonl` has printed of a cluster so far.
func changes(t *testing.T, watch *process.Process, cluster string) (all []*fleetv1.ClusterHealth) {
	t.Helper()
	for _, event := range printed[fleetv1.WatchClusterHealthResponse](t, watch.Stdout.String()) {
		if h := event.GetChanged(); h.GetCluster() == cluster {
			all = append(all, h)
		}
	}
	return all
}

// awaitChange waits until `fleetctl watch -o jsonl` has told last of a cluster what it should, and returns that.
func awaitChange(t *testing.T, watch *process.Process, cluster string, done func(*fleetv1.ClusterHealth) bool) (last *fleetv1.ClusterHealth) {
	t.Helper()
	err := process.Poll(t.Context(), func() (bool, error) {
		if all := changes(t, watch, cluster); len(all) > 0 {
			last = all[len(all)-1]
		}
		return last != nil && done(last), fmt.Errorf("the last of %s is %v", cluster, last)
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// overview runs `fleetctl overview -o json`.
func overview(t *testing.T, a *product.Aggregator) *fleetv1.GetFleetOverviewResponse {
	t.Helper()
	r := a.Fleetctl(t, "overview", "-o", "json")
	exits(t, r, 0, "", "")
	page := &fleetv1.GetFleetOverviewResponse{}
	if err := protojson.Unmarshal([]byte(r.Stdout), page); err != nil {
		t.Fatalf("%v in %s", err, r.Stdout)
	}
	return page
}
