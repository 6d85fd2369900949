package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

type (
	watchEvent  = fleetv1.WatchClusterHealthResponse
	watchServer = grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]
)

// noon is when the test fleet was last observed.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(noon().Add(-d)) }

// health is what the monitor knows of a member: what its last probe found, confirmed, for 3 hours.
func (m member) health() *fleetv1.ClusterHealth {
	h := &fleetv1.ClusterHealth{
		Cluster: m.cluster.GetName(), Labels: m.cluster.GetLabels(), Virtual: m.cluster.GetVirtual(), State: fleetv1.Verdict_STATE_UNKNOWN,
	}
	h.KnownState = h.GetState()
	if m.cluster.GetObservation() == nil {
		return h
	}
	h.Observation = proto.CloneOf(m.cluster.GetObservation())
	h.Observation.ObservedAt, h.Observation.Source = timestamppb.New(noon()), fleetv1.Observation_SOURCE_MONITOR
	verdict := h.GetObservation().GetVerdict()
	h.State, h.KnownState, h.Since, h.Expiries = verdict.GetState(), verdict.GetState(), ago(3*time.Hour), verdict.GetExpiries()
	if h.GetState() == fleetv1.Verdict_STATE_HEALTHY {
		h.Latency = &fleetv1.Latency{P50: verdict.GetDuration(), P90: verdict.GetDuration(), P99: durationpb.New(4 * verdict.GetDuration().AsDuration()), Probes: 100}
		h.Availability = &fleetv1.Availability{Hour: new(1.0), Day: new(0.99999)}
	}
	switch m.cluster.GetName() {
	case "prod-3":
		h.Flapping, h.Since = true, ago(90*time.Second)
	case "staging-1":
		h.Maintenance = true
	}
	return h
}

// healthy is what the monitor knows once it found the member well.
func (m member) healthy() *fleetv1.ClusterHealth {
	h := m.health()
	h.State, h.KnownState, h.Flapping, h.Since = fleetv1.Verdict_STATE_HEALTHY, fleetv1.Verdict_STATE_HEALTHY, false, ago(-time.Minute)
	h.Observation = &fleetv1.Observation{
		Verdict: &fleetv1.Verdict{State: fleetv1.Verdict_STATE_HEALTHY}, ObservedAt: ago(-time.Minute), Age: durationpb.New(0),
	}
	return h
}

func (f fleet) listHealth(_ context.Context, req *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error) {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return nil, err
	}
	answer := &fleetv1.ListClusterHealthResponse{TotalSize: int32(len(found))}
	slices.SortFunc(found, func(x, y member) int { return strings.Compare(x.cluster.GetName(), y.cluster.GetName()) })
	for _, m := range found {
		if m.cluster.GetName() <= req.GetPageToken() {
			continue
		}
		if n := len(answer.GetClusters()); n == 2 { // Small pages: the client must ask for the next one.
			answer.NextPageToken = answer.GetClusters()[n-1].GetCluster()
			break
		}
		answer.Clusters = append(answer.Clusters, m.health())
	}
	return answer, nil
}

// watchHealth sends the selected clusters as they are, and then, of those that are not healthy, that they are; it lasts
// until the caller leaves.
func (f fleet) watchHealth(req *fleetv1.WatchClusterHealthRequest, out watchServer) error {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return err
	}
	events := []*watchEvent{started(true)}
	for _, m := range found {
		events = append(events, changed(m.health()))
	}
	events = append(events, synced())
	for _, m := range found {
		if m.failure != nil {
			events = append(events, changed(m.healthy()))
		}
	}
	if err := sendAll(out, events...); err != nil {
		return err
	}
	<-out.Context().Done()
	return nil
}

func sendAll(out watchServer, events ...*watchEvent) error {
	for _, event := range events {
		if err := out.Send(event); err != nil {
			return err
		}
	}
	return nil
}

func started(reset bool) *watchEvent {
	return &watchEvent{ResumeToken: "t", Event: &fleetv1.WatchClusterHealthResponse_Started_{Started: &fleetv1.WatchClusterHealthResponse_Started{Reset_: reset}}}
}

func changed(h *fleetv1.ClusterHealth) *watchEvent {
	return &watchEvent{ResumeToken: "t", Event: &fleetv1.WatchClusterHealthResponse_Changed{Changed: h}}
}

func removed(name string) *watchEvent {
	return &watchEvent{ResumeToken: "t", Event: &fleetv1.WatchClusterHealthResponse_Removed_{Removed: &fleetv1.WatchClusterHealthResponse_Removed{Cluster: name}}}
}

func synced() *watchEvent {
	return &watchEvent{ResumeToken: "t", Event: &fleetv1.WatchClusterHealthResponse_Synced_{Synced: &fleetv1.WatchClusterHealthResponse_Synced{}}}
}

// transitions are those of prod-3: a failure a page, the latest first, until a cluster is selected that has none.
func (f fleet) listTransitions(_ context.Context, req *fleetv1.ListTransitionsRequest) (*fleetv1.ListTransitionsResponse, error) {
	if _, err := f.selected(req.GetSelector()); err != nil {
		return nil, err
	}
	if names := req.GetSelector().GetNames(); len(names) > 0 && !slices.Contains(names, "prod-3") {
		return &fleetv1.ListTransitionsResponse{}, nil
	}
	down := &fleetv1.Transition{
		Sequence: 8, Cluster: "prod-3", OccurredAt: ago(90 * time.Second), From: fleetv1.Verdict_STATE_HEALTHY, To: fleetv1.Verdict_STATE_UNREACHABLE,
		Reason: fleetv1.Verdict_REASON_CONNECTION_REFUSED, Blame: fleetv1.Verdict_BLAME_NETWORK, Message: "connection refused",
		Lasted: durationpb.New(26 * time.Hour), Flapping: true,
	}
	if f.text != "" {
		down.Cluster, down.Message = f.text, f.text
	}
	if req.GetPageToken() == "" {
		return &fleetv1.ListTransitionsResponse{Transitions: []*fleetv1.Transition{down}, NextPageToken: "older"}, nil
	}
	up := &fleetv1.Transition{
		Sequence: 7, Cluster: "prod-3", OccurredAt: ago(27 * time.Hour), From: fleetv1.Verdict_STATE_UNKNOWN, To: fleetv1.Verdict_STATE_HEALTHY,
	}
	return &fleetv1.ListTransitionsResponse{Transitions: []*fleetv1.Transition{up}}, nil
}

func (f fleet) overview(ctx context.Context, req *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error) {
	if _, err := f.selected(req.GetSelector()); err != nil {
		return nil, err
	}
	answer := &fleetv1.GetFleetOverviewResponse{
		States:   &fleetv1.GetFleetOverviewResponse_States{Total: 5, Healthy: 2, Degraded: 1, Unreachable: 1, Virtual: 1, Maintenance: 1, Flapping: 1},
		Reasons:  []*fleetv1.GetFleetOverviewResponse_Reason{{Reason: fleetv1.Verdict_REASON_CONNECTION_REFUSED, Count: 5, Clusters: []string{"a", "b", "c", "d"}}},
		Versions: []*fleetv1.GetFleetOverviewResponse_Version{{Version: "v1.36.3", Count: 1}, {Count: 3}},
		Expiring: []*fleetv1.GetFleetOverviewResponse_Expiring{{Cluster: "prod-1", Kind: fleetv1.Expiry_KIND_TOKEN, ExpiresAt: ago(-time.Hour)}},
		Incidents: []*fleetv1.Incident{{
			Id: "i1", Cause: fleetv1.Incident_CAUSE_REGION, Value: "eu-west-1", Reason: fleetv1.Verdict_REASON_CONNECT_TIMEOUT, Since: ago(time.Hour),
			Clusters: []string{"prod-3", "staging-1"}, Members: 2, Exposed: 3, Message: "2 of 3 clusters of eu-west-1 do not answer",
		}},
		Slowest: []*fleetv1.GetFleetOverviewResponse_Slow{{Cluster: "prod-1", Latency: f.members[len(f.members)-1].health().GetLatency()}},
	}
	if f.text != "" {
		answer.Reasons[0].Clusters[0], answer.Versions[0].Version, answer.Expiring[0].Cluster, answer.Slowest[0].Cluster = f.text, f.text, f.text, f.text
		answer.Incidents[0].Value, answer.Incidents[0].Message, answer.Incidents[0].Clusters[0] = f.text, f.text, f.text
	}
	history, err := f.listTransitions(ctx, &fleetv1.ListTransitionsRequest{})
	answer.Transitions = history.GetTransitions()
	if f.text != "" || req.GetGroupBy() != "" {
		answer.Groups = []*fleetv1.GetFleetOverviewResponse_States{{Value: cmp.Or(f.text, "prod"), Total: 3, Healthy: 2, Unreachable: 1, Flapping: 1}, {Total: 2, Degraded: 1, Virtual: 1}}
	}
	return answer, err
}
