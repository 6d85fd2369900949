package main

import (
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/apimachinery/pkg/labels"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// workload is one of a cluster; was is the replicas that it had before it was put to sleep.
type workload struct {
	namespace, kind, name, labels string
	replicas, was                 int64
}

// workloadsOf returns those of a cluster: prod-1 sleeps in part, prod-2 altogether, as far as it may be read.
func workloadsOf(cluster string) []workload {
	switch cluster {
	case "prod-1":
		return []workload{
			{"shop", "Deployment", "web", "app=web", 3, 0},
			{"shop", "Deployment", "api", "app=api", 0, 2},
			{"blog", "Deployment", "web", "app=web", 0, 1},
			{"blog", "StatefulSet", "db", "app=db", 0, 1},
			{"shop", "Rollout", "canary", "app=web", 1, 0},
		}
	case "prod-2":
		return []workload{{"shop", "Deployment", "web", "app=web", 0, 5}}
	}
	return []workload{{"any", "Deployment", "some", "app=some", 1, 0}}
}

// hibernation answers as the aggregator does. It sends the groups of a cluster one by one, and the last of them with its
// completion. Where an annotation is named, nothing sleeps.
func (f fleet) hibernation(req *fleetv1.SummarizeHibernationRequest, out grpc.ServerStreamingServer[fleetv1.SummarizeHibernationResponse]) error {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return err
	}
	send := func(r *fleetv1.SummarizeHibernationResponse) {
		if err == nil {
			err = out.Send(r)
		}
	}
	summary := &fleetv1.Summary{Expected: int32(len(found)), Duration: durationpb.New(1250 * time.Millisecond)}
	send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Started{Started: &fleetv1.Started{Expected: summary.GetExpected()}}})
	for _, m := range found {
		last := &fleetv1.HibernationResult{Cluster: m.cluster.GetName(), Completion: &fleetv1.Completion{Error: m.failure, Skipped: m.cluster.GetVirtual()}}
		if m.failure == nil && m.cluster.GetName() != "prod-1" && !m.cluster.GetVirtual() {
			last.Unreadable = []*fleetv1.UnreadableType{{Resource: "rollouts.argoproj.io", Message: "you may not list them" + f.text, Reason: "FORBIDDEN"}}
		}
		groups := sleeping(m, req)
		for _, g := range groups {
			g.Namespace += f.text
			g.Name += f.text
		}
		if n := len(groups); n > 0 {
			last.Groups = groups[n-1:]
			for _, g := range groups[:n-1] {
				send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Result{
					Result: &fleetv1.HibernationResult{Cluster: m.cluster.GetName(), Groups: []*fleetv1.HibernationGroup{g}},
				}})
			}
		}
		m.count(summary)
		send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Result{Result: last}})
	}
	send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Summary{Summary: summary}})
	return err
}

// sleeping returns the groups of a cluster, in no order.
func sleeping(m member, req *fleetv1.SummarizeHibernationRequest) []*fleetv1.HibernationGroup {
	if m.cluster.GetVirtual() {
		return nil
	}
	var groups []*fleetv1.HibernationGroup
	group := func(namespace, kind, name string) *fleetv1.HibernationGroup {
		i := slices.IndexFunc(groups, func(g *fleetv1.HibernationGroup) bool {
			return g.GetNamespace() == namespace && g.GetKind() == kind && g.GetName() == name
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &fleetv1.HibernationGroup{Namespace: namespace, Kind: kind, Name: name})
		}
		return groups[i]
	}
	byCluster := req.GetGrouping() == fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER
	if byCluster {
		group("", "", "")
	}
	wanted, err := labels.Parse(req.GetLabelSelector())
	if err != nil {
		panic(err)
	}
	for _, w := range workloadsOf(m.cluster.GetName()) {
		own, err := labels.ConvertSelectorToLabelsMap(w.labels)
		if err != nil {
			panic(err)
		}
		if m.failure != nil || req.GetNamespace() != "" && req.GetNamespace() != w.namespace || !wanted.Matches(own) { // what fails tells nothing
			continue
		}
		var g *fleetv1.HibernationGroup
		switch req.GetGrouping() {
		case fleetv1.SummarizeHibernationRequest_GROUPING_NAMESPACE:
			g = group(w.namespace, "", "")
		case fleetv1.SummarizeHibernationRequest_GROUPING_WORKLOAD:
			g = group(w.namespace, w.kind, w.name)
		default:
			g = group("", "", "")
		}
		g.Eligible++
		g.Replicas += w.replicas
		if w.was > 0 && req.GetAnnotation() == "" {
			g.Hibernated++
			g.HibernatedReplicas += w.was
		}
	}
	for _, g := range groups {
		if m.failure != nil {
			g.Unknown = 4
		} else if m.cluster.GetName() != "prod-1" && req.GetGrouping() != fleetv1.SummarizeHibernationRequest_GROUPING_WORKLOAD {
			g.Unknown = 1
		}
		g.State = stateOf(g)
	}
	return groups
}

func stateOf(g *fleetv1.HibernationGroup) fleetv1.HibernationGroup_State {
	switch {
	case g.GetHibernated() == 0 && g.GetUnknown() > 0:
		return fleetv1.HibernationGroup_STATE_UNKNOWN
	case g.GetHibernated() == 0:
		return fleetv1.HibernationGroup_STATE_RUNNING
	case g.GetHibernated() < g.GetEligible() || g.GetUnknown() > 0:
		return fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED
	}
	return fleetv1.HibernationGroup_STATE_HIBERNATED
}
