package server

import (
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/hibernation"
)

func grouping(g fleetv1.SummarizeHibernationRequest_Grouping) hibernation.Grouping {
	switch g {
	case fleetv1.SummarizeHibernationRequest_GROUPING_NAMESPACE:
		return hibernation.ByNamespace
	case fleetv1.SummarizeHibernationRequest_GROUPING_WORKLOAD:
		return hibernation.ByWorkload
	case fleetv1.SummarizeHibernationRequest_GROUPING_UNSPECIFIED, fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER:
	}
	return hibernation.ByCluster
}

func hibernationState(s hibernation.State) fleetv1.HibernationGroup_State {
	switch s {
	case hibernation.Hibernated:
		return fleetv1.HibernationGroup_STATE_HIBERNATED
	case hibernation.PartiallyHibernated:
		return fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED
	case hibernation.Running:
		return fleetv1.HibernationGroup_STATE_RUNNING
	case hibernation.Unknown:
	}
	return fleetv1.HibernationGroup_STATE_UNKNOWN
}

func hibernationResult(r *fleet.HibernationResult) *fleetv1.HibernationResult {
	m := &fleetv1.HibernationResult{
		Cluster:    r.Cluster,
		Groups:     make([]*fleetv1.HibernationGroup, len(r.Groups)),
		Unreadable: make([]*fleetv1.UnreadableType, len(r.Unreadable)),
		Completion: completion(r.End),
	}
	for i, g := range r.Groups {
		m.Groups[i] = hibernationGroup(g)
	}
	for i, u := range r.Unreadable {
		m.Unreadable[i] = &fleetv1.UnreadableType{Resource: u.Type.String(), Message: u.Err.Message, Reason: string(u.Err.Reason)}
	}
	return m
}

func hibernationGroup(g hibernation.Group) *fleetv1.HibernationGroup {
	return &fleetv1.HibernationGroup{
		Namespace:          g.Namespace,
		Kind:               g.Kind,
		Name:               g.Name,
		State:              hibernationState(g.State()),
		Eligible:           count(g.Eligible),
		Hibernated:         count(g.Hibernated),
		Unknown:            count(g.Unknown),
		Replicas:           g.Replicas,
		HibernatedReplicas: g.HibernatedReplicas,
	}
}
