// Package clienttest serves fleet.v1 from a script, over real gRPC on loopback, to test what is written on package client.
package clienttest

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// Script says what each method of fleet.v1 does. A method without a script is UNIMPLEMENTED.
type Script struct {
	ListClusters         func(context.Context, *fleetv1.ListClustersRequest) (*fleetv1.ListClustersResponse, error)
	GetCluster           func(context.Context, *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error)
	ProbeClusters        func(*fleetv1.ProbeClustersRequest, grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error
	ListClusterHealth    func(context.Context, *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error)
	WatchClusterHealth   func(*fleetv1.WatchClusterHealthRequest, grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]) error
	ListTransitions      func(context.Context, *fleetv1.ListTransitionsRequest) (*fleetv1.ListTransitionsResponse, error)
	FetchManifests       func(*fleetv1.FetchManifestsRequest, grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error
	GetManifests         func(*fleetv1.GetManifestsRequest, grpc.ServerStreamingServer[fleetv1.GetManifestsResponse]) error
	ListResourceTypes    func(context.Context, *fleetv1.ListResourceTypesRequest) (*fleetv1.ListResourceTypesResponse, error)
	GetFleetOverview     func(context.Context, *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error)
	SummarizeHibernation func(*fleetv1.SummarizeHibernationRequest, grpc.ServerStreamingServer[fleetv1.SummarizeHibernationResponse]) error
	CompareManifests     func(*fleetv1.CompareManifestsRequest, grpc.ServerStreamingServer[fleetv1.CompareManifestsResponse]) error
}

// Serve serves the script until the test ends and returns the address to dial. The server's health is SERVING.
func Serve(tb testing.TB, script Script, options ...grpc.ServerOption) (address string) {
	tb.Helper()
	address, stop, err := Start(script, options...)
	if err != nil {
		tb.Fatalf("serve the script: %v", err)
	}
	tb.Cleanup(stop)
	return address
}

// Start is Serve for where there is no test, such as examples: it serves until stop is called, which ends the calls under
// way and waits for the server.
func Start(script Script, options ...grpc.ServerOption) (address string, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(append(options, grpc.WaitForHandlers(true))...)
	fleetv1.RegisterClusterServiceServer(server, clusters{script: script})
	fleetv1.RegisterHealthServiceServer(server, healths{script: script})
	fleetv1.RegisterManifestServiceServer(server, manifests{script: script})
	fleetv1.RegisterWorkloadServiceServer(server, workloads{script: script})
	fleetv1.RegisterFleetServiceServer(server, overviews{script: script})
	healthpb.RegisterHealthServer(server, health.NewServer())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // It fails only once the listener is closed, by stop.
	}()
	return listener.Addr().String(), func() { server.Stop(); <-done }, nil
}

type clusters struct {
	fleetv1.UnimplementedClusterServiceServer
	script Script
}

// ListClusters does what the script says.
func (s clusters) ListClusters(ctx context.Context, req *fleetv1.ListClustersRequest) (*fleetv1.ListClustersResponse, error) {
	if s.script.ListClusters == nil {
		return s.UnimplementedClusterServiceServer.ListClusters(ctx, req)
	}
	return s.script.ListClusters(ctx, req)
}

// GetCluster does what the script says.
func (s clusters) GetCluster(ctx context.Context, req *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
	if s.script.GetCluster == nil {
		return s.UnimplementedClusterServiceServer.GetCluster(ctx, req)
	}
	return s.script.GetCluster(ctx, req)
}

type healths struct {
	fleetv1.UnimplementedHealthServiceServer
	script Script
}

// ProbeClusters does what the script says.
func (s healths) ProbeClusters(req *fleetv1.ProbeClustersRequest, out grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error {
	if s.script.ProbeClusters == nil {
		return s.UnimplementedHealthServiceServer.ProbeClusters(req, out)
	}
	return s.script.ProbeClusters(req, out)
}

// ListClusterHealth does what the script says.
func (s healths) ListClusterHealth(ctx context.Context, req *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error) {
	if s.script.ListClusterHealth == nil {
		return s.UnimplementedHealthServiceServer.ListClusterHealth(ctx, req)
	}
	return s.script.ListClusterHealth(ctx, req)
}

// WatchClusterHealth does what the script says.
func (s healths) WatchClusterHealth(req *fleetv1.WatchClusterHealthRequest, out grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]) error {
	if s.script.WatchClusterHealth == nil {
		return s.UnimplementedHealthServiceServer.WatchClusterHealth(req, out)
	}
	return s.script.WatchClusterHealth(req, out)
}

// ListTransitions does what the script says.
func (s healths) ListTransitions(ctx context.Context, req *fleetv1.ListTransitionsRequest) (*fleetv1.ListTransitionsResponse, error) {
	if s.script.ListTransitions == nil {
		return s.UnimplementedHealthServiceServer.ListTransitions(ctx, req)
	}
	return s.script.ListTransitions(ctx, req)
}

type manifests struct {
	fleetv1.UnimplementedManifestServiceServer
	script Script
}

// FetchManifests does what the script says.
func (s manifests) FetchManifests(req *fleetv1.FetchManifestsRequest, out grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error {
	if s.script.FetchManifests == nil {
		return s.UnimplementedManifestServiceServer.FetchManifests(req, out)
	}
	return s.script.FetchManifests(req, out)
}

// GetManifests does what the script says.
func (s manifests) GetManifests(req *fleetv1.GetManifestsRequest, out grpc.ServerStreamingServer[fleetv1.GetManifestsResponse]) error {
	if s.script.GetManifests == nil {
		return s.UnimplementedManifestServiceServer.GetManifests(req, out)
	}
	return s.script.GetManifests(req, out)
}

// ListResourceTypes does what the script says.
func (s manifests) ListResourceTypes(ctx context.Context, req *fleetv1.ListResourceTypesRequest) (*fleetv1.ListResourceTypesResponse, error) {
	if s.script.ListResourceTypes == nil {
		return s.UnimplementedManifestServiceServer.ListResourceTypes(ctx, req)
	}
	return s.script.ListResourceTypes(ctx, req)
}

type workloads struct {
	fleetv1.UnimplementedWorkloadServiceServer
	script Script
}

// SummarizeHibernation does what the script says.
func (s workloads) SummarizeHibernation(req *fleetv1.SummarizeHibernationRequest, out grpc.ServerStreamingServer[fleetv1.SummarizeHibernationResponse]) error {
	if s.script.SummarizeHibernation == nil {
		return s.UnimplementedWorkloadServiceServer.SummarizeHibernation(req, out)
	}
	return s.script.SummarizeHibernation(req, out)
}

// CompareManifests does what the script says.
func (s manifests) CompareManifests(req *fleetv1.CompareManifestsRequest, out grpc.ServerStreamingServer[fleetv1.CompareManifestsResponse]) error {
	if s.script.CompareManifests == nil {
		return s.UnimplementedManifestServiceServer.CompareManifests(req, out)
	}
	return s.script.CompareManifests(req, out)
}

type overviews struct {
	fleetv1.UnimplementedFleetServiceServer
	script Script
}

// GetFleetOverview does what the script says.
func (s overviews) GetFleetOverview(ctx context.Context, req *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error) {
	if s.script.GetFleetOverview == nil {
		return s.UnimplementedFleetServiceServer.GetFleetOverview(ctx, req)
	}
	return s.script.GetFleetOverview(ctx, req)
}
