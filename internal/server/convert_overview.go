package server

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/overview"
)

// maxIncidentNames bounds the members of an incident that are named.
const maxIncidentNames = 100

func overviewMessage(o *overview.Overview) *fleetv1.GetFleetOverviewResponse {
	m := &fleetv1.GetFleetOverviewResponse{}
	if o.States != nil {
		m.States = overviewStates(*o.States)
	}
	for _, s := range o.Groups {
		m.Groups = append(m.Groups, overviewStates(s))
	}
	for _, r := range o.Reasons {
		m.Reasons = append(m.Reasons, &fleetv1.GetFleetOverviewResponse_Reason{Reason: reason(r.Reason), Count: count(r.Count), Clusters: r.Clusters})
	}
	for _, v := range o.Versions {
		m.Versions = append(m.Versions, &fleetv1.GetFleetOverviewResponse_Version{Version: v.Version, Count: count(v.Count)})
	}
	for _, e := range o.Expiring {
		m.Expiring = append(m.Expiring, &fleetv1.GetFleetOverviewResponse_Expiring{
			Cluster:   e.Cluster,
			Kind:      fleetv1.Expiry_Kind(e.Kind), //nolint:gosec // the same small numbers; a test holds them together
			ExpiresAt: timestamppb.New(e.At),
		})
	}
	for _, i := range o.Incidents {
		m.Incidents = append(m.Incidents, incident(i))
	}
	for _, r := range o.Slowest {
		m.Slowest = append(m.Slowest, &fleetv1.GetFleetOverviewResponse_Slow{Cluster: r.Subject.Name, Latency: latency(r.Latency)})
	}
	for _, t := range o.Transitions {
		m.Transitions = append(m.Transitions, transition(t))
	}
	for _, f := range o.Failures {
		m.Failures = append(m.Failures, &fleetv1.GetFleetOverviewResponse_Failure{
			Section: fleetv1.GetFleetOverviewResponse_Section(f.Section), //nolint:gosec // the same small numbers; a test holds them together
			Error:   sectionStatus(f.Err),
		})
	}
	return m
}

func overviewStates(s overview.States) *fleetv1.GetFleetOverviewResponse_States {
	return &fleetv1.GetFleetOverviewResponse_States{
		Value:        s.Value,
		Total:        count(s.Total),
		Healthy:      count(s.Healthy),
		Degraded:     count(s.Degraded),
		Unreachable:  count(s.Unreachable),
		Unauthorized: count(s.Unauthorized),
		Unknown:      count(s.Unknown),
		Virtual:      count(s.Virtual),
		Maintenance:  count(s.Maintenance),
		Flapping:     count(s.Flapping),
	}
}

func incident(i health.Incident) *fleetv1.Incident {
	return &fleetv1.Incident{
		Id:       i.ID,
		Cause:    fleetv1.Incident_Cause(i.Cause), //nolint:gosec // the same small numbers; a test holds them together
		Value:    i.Value,
		Reason:   reason(i.Reason),
		Since:    timestamp(i.Since),
		Clusters: i.Members[:min(maxIncidentNames, len(i.Members))],
		Members:  count(len(i.Members)),
		Exposed:  count(i.Exposed),
		Message:  i.Message,
	}
}

// count is a number of clusters, or of probes or workloads of one.
func count(n int) int32 { return int32(n) } //nolint:gosec // a fleet has fewer than 2³¹ clusters, and a cluster workloads
