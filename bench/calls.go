package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// probeAll probes a whole fleet of so many clusters through the aggregator, with quick probes that find each one healthy.
func probeAll(ctx context.Context, conn grpc.ClientConnInterface, clusters, limit int, timeout time.Duration) error {
	stream, err := fleetv1.NewHealthServiceClient(conn).ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{
		Depth:             fleetv1.Verdict_DEPTH_QUICK,
		PerClusterTimeout: durationpb.New(timeout),
		MaxConcurrency:    int32(limit),
	})
	if err != nil {
		return err
	}
	var summary *fleetv1.Summary
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return wholeSummary(summary, clusters)
		}
		if err != nil {
			return err
		}
		summary = response.GetSummary()
	}
}

// wholeSummary returns an error unless so many results were expected, of clusters or of references, and all succeeded.
func wholeSummary(s *fleetv1.Summary, want int) error {
	if int(s.GetExpected()) != want || int(s.GetSucceeded()) != want {
		return fmt.Errorf("not all of %d succeeded: %v", want, s)
	}
	return nil
}

// fetched is what came of a fetch.
type fetched struct {
	bytes int64 // of objects, as JSON
	items int
	first time.Duration // from the call to the first object
}

// fetchPods reads the pods of a whole fleet of so many clusters through the aggregator and keeps nothing of them.
func fetchPods(ctx context.Context, conn grpc.ClientConnInterface, clusters, limit int) (fetched, error) {
	var found fetched
	start := time.Now()
	stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(ctx, &fleetv1.FetchManifestsRequest{
		ResourceType:   &fleetv1.ResourceType{Version: "v1", Resource: "pods"},
		MaxConcurrency: int32(limit),
	})
	if err != nil {
		return found, err
	}
	var summary *fleetv1.Summary
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return found, wholeSummary(summary, clusters)
		}
		if err != nil {
			return found, err
		}
		summary = response.GetSummary()
		for _, m := range response.GetBatch().GetManifests() {
			if found.items == 0 {
				found.first = time.Since(start)
			}
			found.items++
			found.bytes += int64(len(m.GetJson()))
		}
	}
}

// firstPod is how long it takes until the first pod of a fetch of so many clusters is there. The rest is left to the end of
// ctx.
func firstPod(ctx context.Context, conn grpc.ClientConnInterface, clusters, limit int) (time.Duration, error) {
	start := time.Now()
	stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(ctx, &fleetv1.FetchManifestsRequest{
		ResourceType:   &fleetv1.ResourceType{Version: "v1", Resource: "pods"},
		MaxConcurrency: int32(limit),
	})
	if err != nil {
		return 0, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		if s := response.GetStarted(); s != nil && int(s.GetExpected()) != clusters {
			return 0, fmt.Errorf("%d clusters are to be read, want %d", s.GetExpected(), clusters)
		}
		if len(response.GetBatch().GetManifests()) > 0 {
			return time.Since(start), nil
		}
	}
}
