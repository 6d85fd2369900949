package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// live is a cluster with what the monitor knows of it.
type live struct {
	// cluster is the definition; of a watch, which does not tell it, the name and the labels only.
	cluster *fleetv1.Cluster
	// health is nil where nothing monitors the cluster.
	health *fleetv1.ClusterHealth
}

// watched is what a watch tells of a cluster.
func watched(h *fleetv1.ClusterHealth) live {
	return live{health: h, cluster: &fleetv1.Cluster{
		Name: h.GetCluster(), Labels: h.GetLabels(), Virtual: h.GetVirtual(), Observation: h.GetObservation(),
	}}
}

// listLive joins what the monitor knows with the definitions, in the order of the names. Where the aggregator has no
// monitor, it is the definitions with the last observation. With an error come those that were read before.
func listLive(ctx context.Context, c *client.Client, selector *fleetv1.ClusterSelector) (all []live, err error) {
	health, err := monitored(ctx, c, selector)
	if err != nil {
		return nil, err
	}
	asked := proto.CloneOf(selector)
	if health != nil {
		asked.States = nil // Which states the clusters are in, the monitor says.
	}
	for cluster, err := range c.ListClusters(ctx, &fleetv1.ListClustersRequest{Selector: asked}) {
		if err != nil {
			return all, err
		}
		h := health[cluster.GetName()]
		delete(health, cluster.GetName())
		if h == nil && len(asked.GetStates()) != len(selector.GetStates()) {
			continue
		}
		all = append(all, live{cluster, h})
	}
	for _, h := range health { // Gone meanwhile.
		all = append(all, watched(h))
	}
	slices.SortFunc(all, byName)
	return all, nil
}

// monitored is what the monitor knows, by name; nil where the aggregator has none.
func monitored(ctx context.Context, c *client.Client, selector *fleetv1.ClusterSelector) (map[string]*fleetv1.ClusterHealth, error) {
	all := map[string]*fleetv1.ClusterHealth{}
	for h, err := range c.ListClusterHealth(ctx, &fleetv1.ListClusterHealthRequest{Selector: selector}) {
		if code := status.Code(err); code == codes.Unimplemented || code == codes.FailedPrecondition {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all[h.GetCluster()] = h
	}
	return all, nil
}

func byName(x, y live) int { return cmp.Compare(x.cluster.GetName(), y.cluster.GetName()) }

// observation is the monitor's latest, or else that of the last probe.
func (l live) observation() *fleetv1.Observation {
	if l.health != nil {
		return l.health.GetObservation()
	}
	return l.cluster.GetObservation()
}

// confirmed is the cluster's state.
func (l live) confirmed() fleetv1.Verdict_State {
	known := l.observation().GetVerdict().GetState()
	if l.health != nil {
		known = l.health.GetState()
	}
	return cmp.Or(known, fleetv1.Verdict_STATE_UNKNOWN)
}

// word is the cluster's state in a word.
func (l live) word() string {
	if l.cluster.GetVirtual() {
		return "VIRTUAL"
	}
	return word(l.confirmed(), "STATE_")
}

// state is the word for the cluster's state, with the last one that was known where the present one is not.
func (l live) state() string {
	before := l.health.GetKnownState()
	if l.cluster.GetVirtual() || before == fleetv1.Verdict_STATE_UNSPECIFIED || before == l.confirmed() {
		return l.word()
	}
	return l.word() + " (was " + word(before, "STATE_") + ")"
}

// flags is what else there is to know of a state.
func (l live) flags() string {
	found := l.observation().GetVerdict().GetState()
	var flags []string
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{l.health.GetFlapping(), "flapping"},
		{l.health.GetMaintenance(), "maintenance"},
		{l.health.GetObserverSuspect(), "observer-suspect"},
		{l.health.GetRestored(), "restored"},
		{l.health != nil && found != fleetv1.Verdict_STATE_UNSPECIFIED && found != cmp.Or(l.health.GetKnownState(), l.confirmed()), "unconfirmed"},
		{l.cluster.GetVirtual(), "virtual"},
	} {
		if flag.set {
			flags = append(flags, flag.name)
		}
	}
	return strings.Join(flags, ",")
}

// now is the aggregator's time when it answered: its clock and ours may differ.
func (l live) now() time.Time {
	if o := l.observation(); o.GetObservedAt() != nil && o.GetAge() != nil {
		return o.GetObservedAt().AsTime().Add(o.GetAge().AsDuration())
	}
	return time.Now()
}

// json is the cluster with its health as the member `health`.
func (l live) json() (json.RawMessage, error) {
	cluster, err := output.Message(l.cluster)
	if err != nil || l.health == nil {
		return cluster, err
	}
	health, err := output.Message(l.health)
	if err != nil {
		return nil, err
	}
	joined := append(cluster[:len(cluster)-1:len(cluster)-1], `,"health":`...) // It has a name, and so a member before.
	return append(append(joined, health...), '}'), nil
}
