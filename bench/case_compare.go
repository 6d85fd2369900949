package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// benchCompare measures the memory that it takes to compare many objects over many clusters.
func benchCompare(ctx context.Context, b *bench) ([]report.Row, error) {
	clusters, objects := pick(b, 100, 20), pick(b, 1000, 100)
	fleet, err := b.fleet(ctx, clusters, "--deployments", strconv.Itoa(objects))
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, unwatched)
	if err != nil {
		return nil, err
	}
	defer a.kill()
	var totals *fleetv1.ComparisonTotals
	m, err := a.during(func() (err error) {
		totals, err = a.compare(ctx, clusters)
		return err
	})
	if err != nil {
		return nil, err
	}
	if totals.GetObjects() != int64(objects) {
		return nil, fmt.Errorf("%d objects were compared, want %d", totals.GetObjects(), objects)
	}
	work := fmt.Sprintf("compare %d objects over %d clusters: ", clusters*objects, clusters)
	return []report.Row{{
		Work:   work + "peak RSS of the aggregator",
		Ours:   report.Bytes(m.PeakRSS),
		Target: report.AtMost(report.Bytes(128e6)),
		Notes: []string{fmt.Sprintf("%d differ, %d are not everywhere; CPU %v, wall %v",
			totals.GetDiffering(), totals.GetMissingSomewhere(), m.CPU, m.Wall)},
	}}, nil
}

// compare compares the deployments of a whole fleet of so many clusters.
func (a *aggregator) compare(ctx context.Context, clusters int) (*fleetv1.ComparisonTotals, error) {
	stream, err := fleetv1.NewManifestServiceClient(a.conn).CompareManifests(ctx, &fleetv1.CompareManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Group: "apps", Version: "v1", Resource: "deployments"},
	})
	if err != nil {
		return nil, err
	}
	var totals *fleetv1.ComparisonTotals
	var summary *fleetv1.Summary
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return totals, wholeSummary(summary, clusters)
		}
		if err != nil {
			return nil, err
		}
		if response.GetTotals() != nil {
			totals = response.GetTotals()
		}
		summary = response.GetSummary()
	}
}
