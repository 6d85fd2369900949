package main

import (
	"context"
	"fmt"
	"iter"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// fetch reads the objects of some type.
func (v *visit) fetch(ctx context.Context) {
	types := []string{"pods", "configmaps", "deployments", "services", "secrets"}
	request := &fleetv1.FetchManifestsRequest{
		Selector: v.selector(), ResourceType: &fleetv1.ResourceType{Resource: types[v.random.IntN(len(types))]},
		IncludeUnreachable: v.random.IntN(2) == 0,
	}
	var summary func() *fleetv1.Summary
	_, whole := consume(ctx, v, "FetchManifests", func(ctx context.Context) iter.Seq2[*fleetv1.ManifestBatch, error] {
		stream := v.client.FetchManifests(ctx, request)
		summary = stream.Summary
		return stream.Results()
	})
	v.verify("FetchManifests", whole, summary)
}

// references reads single objects.
func (v *visit) references(ctx context.Context) {
	request := &fleetv1.GetManifestsRequest{}
	for range 1 + v.random.IntN(300) {
		request.References = append(request.References, &fleetv1.Reference{
			Cluster:      v.names[v.random.IntN(len(v.names))],
			ResourceType: &fleetv1.ResourceType{Version: "v1", Resource: "nodes"}, Name: "node-0000",
		})
	}
	var summary func() *fleetv1.Summary
	results, whole := consume(ctx, v, "GetManifests", func(ctx context.Context) iter.Seq2[*fleetv1.ReferenceResult, error] {
		stream := v.client.GetManifests(ctx, request)
		summary = stream.Summary
		return stream.Results()
	})
	v.verify("GetManifests", whole, summary)
	if whole && results != len(request.GetReferences()) {
		v.tally.fail("GetManifests", fmt.Errorf("%d results of %d references", results, len(request.GetReferences())))
	}
}

// compare compares the objects of a part of the fleet.
func (v *visit) compare(ctx context.Context) {
	request := &fleetv1.CompareManifestsRequest{
		Selector:     &fleetv1.ClusterSelector{LabelSelector: v.label()},
		ResourceType: &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"},
	}
	var summary func() *fleetv1.Summary
	_, whole := consume(ctx, v, "CompareManifests", func(ctx context.Context) iter.Seq2[*fleetv1.ComparedObject, error] {
		stream := v.client.CompareManifests(ctx, request)
		summary = stream.Summary
		return stream.Results()
	})
	v.verify("CompareManifests", whole, summary)
}

// hibernation sums up who sleeps.
func (v *visit) hibernation(ctx context.Context) {
	var summary func() *fleetv1.Summary
	_, whole := consume(ctx, v, "SummarizeHibernation", func(ctx context.Context) iter.Seq2[*fleetv1.HibernationResult, error] {
		stream := v.client.SummarizeHibernation(ctx, &fleetv1.SummarizeHibernationRequest{Selector: v.selector()})
		summary = stream.Summary
		return stream.Results()
	})
	v.verify("SummarizeHibernation", whole, summary)
}

// probe tests connections.
func (v *visit) probe(ctx context.Context) {
	depths := []fleetv1.Verdict_Depth{fleetv1.Verdict_DEPTH_QUICK, fleetv1.Verdict_DEPTH_FULL}
	request := &fleetv1.ProbeClustersRequest{Selector: v.selector(), Depth: depths[v.random.IntN(len(depths))]}
	var summary func() *fleetv1.Summary
	results, whole := consume(ctx, v, "ProbeClusters", func(ctx context.Context) iter.Seq2[*fleetv1.ProbeResult, error] {
		stream := v.client.ProbeClusters(ctx, request)
		summary = stream.Summary
		return stream.Results()
	})
	v.verify("ProbeClusters", whole, summary)
	if whole && results != int(summary().GetExpected()) {
		v.tally.fail("ProbeClusters", fmt.Errorf("%d results of %d clusters", results, summary().GetExpected()))
	}
}

// verify holds the summary of a call that ended against its own arithmetic.
func (v *visit) verify(call string, whole bool, summary func() *fleetv1.Summary) {
	if !whole {
		return
	}
	s := summary()
	if sum := s.GetSucceeded() + s.GetFailed() + s.GetSkipped() + s.GetTruncated() + s.GetNotAttempted(); sum != s.GetExpected() {
		v.tally.fail(call, fmt.Errorf("%d results of %d are accounted for: %v", sum, s.GetExpected(), s))
	}
}

// selector is the whole fleet at times, and a part of it mostly.
func (v *visit) selector() *fleetv1.ClusterSelector {
	switch v.random.IntN(4) {
	case 0:
		return nil
	case 1:
		return &fleetv1.ClusterSelector{Names: v.names[:1+v.random.IntN(len(v.names))]}
	default:
		return &fleetv1.ClusterSelector{LabelSelector: v.label()}
	}
}

// label selects a part of the fleet.
func (v *visit) label() string {
	labels := []string{"env=dev", "env=staging", "region=eu-west-1", "region=us-east-1", "tier=batch"}
	return labels[v.random.IntN(len(labels))]
}
