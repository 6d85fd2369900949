package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/grpc"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// benchReferences measures how much longer than ideal it takes to get many single objects of many clusters.
func benchReferences(ctx context.Context, b *bench) ([]report.Row, error) {
	const latency = 50 * time.Millisecond
	clusters, each := pick(b, 100, 20), 50
	fleet, err := b.fleet(ctx, clusters, "--configmaps", strconv.Itoa(each), "--latency", latency.String())
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	var walls []time.Duration
	for range pick(b, 3, 1) {
		wall, err := b.getAll(ctx, fleet.Kubeconfig, clusters, each)
		if err != nil {
			return nil, err
		}
		walls = append(walls, wall)
	}
	ideal := time.Duration(each) * latency / cluster.MaxReads
	return []report.Row{{
		Work:   fmt.Sprintf("%d references over %d clusters, %v each: makespan", clusters*each, clusters, latency),
		Ours:   report.Median(walls),
		Floor:  report.Duration(ideal),
		Target: report.AtMost(report.Times(1.2)),
		Notes:  []string{fmt.Sprintf("the floor is computed: each cluster is asked for %d objects, %d at once", each, cluster.MaxReads)},
	}}, nil
}

// getAll gets the configmaps of the fleet, so many of each cluster, one by one, from an aggregator that has connections
// already.
func (b *bench) getAll(ctx context.Context, kubeconfig string, clusters, each int) (time.Duration, error) {
	a, err := b.aggregator(ctx, kubeconfig, unwatched)
	if err != nil {
		return 0, err
	}
	defer a.kill()
	client := fleetv1.NewManifestServiceClient(a.conn)
	references, err := allReferences(ctx, client, clusters)
	if err != nil {
		return 0, a.process.Failed(err)
	}
	want := clusters * each
	if len(references) != want {
		return 0, fmt.Errorf("there are %d configmaps, want %d", len(references), want)
	}
	start := time.Now()
	stream, err := client.GetManifests(ctx, &fleetv1.GetManifestsRequest{References: references, MaxConcurrency: 1000})
	if err != nil {
		return 0, err
	}
	var summary *fleetv1.Summary
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return time.Since(start), wholeSummary(summary, want)
		}
		if err != nil {
			return 0, a.process.Failed(err)
		}
		summary = response.GetSummary()
	}
}

// allReferences returns a reference to each configmap of a fleet of so many clusters.
func allReferences(ctx context.Context, client fleetv1.ManifestServiceClient, clusters int) ([]*fleetv1.Reference, error) {
	configMaps := &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"}
	stream, err := client.FetchManifests(ctx, &fleetv1.FetchManifestsRequest{
		ResourceType: configMaps, Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_METADATA},
	}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	var references []*fleetv1.Reference
	var summary *fleetv1.Summary
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return references, wholeSummary(summary, clusters)
		}
		if err != nil {
			return nil, err
		}
		summary = response.GetSummary()
		for _, m := range response.GetBatch().GetManifests() {
			references = append(references, &fleetv1.Reference{
				Cluster: response.GetBatch().GetCluster(), ResourceType: configMaps, Namespace: m.GetNamespace(), Name: m.GetName(),
			})
		}
	}
}
