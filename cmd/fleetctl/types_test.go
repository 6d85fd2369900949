package main

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// types says what the fleet serves: the clusters that can be read serve pods and deployments, the first of them an old cron
// job, and the last has a broken API.
func (f fleet) types(_ context.Context, req *fleetv1.ListResourceTypesRequest) (*fleetv1.ListResourceTypesResponse, error) {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return nil, err
	}
	r := &fleetv1.ListResourceTypesResponse{Summary: &fleetv1.Summary{Expected: int32(len(found)), Duration: durationpb.New(1250000000)}}
	var good []string
	for _, m := range found {
		m.count(r.GetSummary())
		switch {
		case m.failure != nil:
			r.Failures = append(r.Failures, &fleetv1.FailedCluster{Cluster: m.cluster.GetName(), Error: m.failure})
		case !m.cluster.GetVirtual():
			good = append(good, m.cluster.GetName())
		}
	}
	if len(good) == 0 {
		return r, nil
	}
	n := int32(len(good))
	r.Types = []*fleetv1.ServedType{
		{Version: "v1", Resource: "pods", Kind: "Pod", Namespaced: true, ShortNames: []string{"po"}, Clusters: n, Preferred: n, Serving: good},
		{Group: "apps", Version: "v1", Resource: "deployments", Kind: "Deployment", Namespaced: true, ShortNames: []string{"deploy"}, Clusters: n, Preferred: n, Serving: good},
		{
			Group: "batch", Version: "v1beta1", Resource: "cronjobs", Kind: "CronJob", Namespaced: true, ShortNames: []string{"cj"},
			Clusters: 1, Preferred: 1, Serving: good[:1], MissingCount: n - 1, Missing: good[1:],
			DeprecatedIn: "1.21", RemovedIn: "1.25", Replacement: "batch/v1 CronJob",
		},
		{Group: "example.com", Version: "v1", Resource: "clusterwide", Kind: "Wide" + f.text, Clusters: 1, Serving: good[:1], MissingCount: n - 1, Missing: good[1:]},
	}
	if req.GetDeprecated() {
		r.Types = r.GetTypes()[2:3]
	}
	if req.Group != nil {
		var ofGroup []*fleetv1.ServedType
		for _, t := range r.GetTypes() {
			if t.GetGroup() == req.GetGroup() {
				ofGroup = append(ofGroup, t)
			}
		}
		r.Types = ofGroup
	}
	r.Broken = []*fleetv1.BrokenAPI{{Group: "metrics.k8s.io", Version: "v1beta1", Clusters: good[n-1:], ClusterCount: 1, Message: "service unavailable" + f.text}}
	r.Versions = []*fleetv1.VersionCount{{Version: "v1.35.0", Clusters: 1}}
	return r, nil
}
