package server

import (
	"cmp"
	"context"
	"slices"
	"strings"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

const defaultPageSize = 500

// clusters serves fleet.v1.ClusterService.
type clusters struct {
	fleetv1.UnimplementedClusterServiceServer

	fleet *fleet.Fleet
}

// ListClusters returns a page of the selected clusters. Pages are cut by name, so clusters that come or go between two
// pages neither shift nor repeat the others.
func (s *clusters) ListClusters(_ context.Context, r *fleetv1.ListClustersRequest) (*fleetv1.ListClustersResponse, error) {
	after, err := parsePageToken(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	selected, err := s.fleet.Clusters(selector(r.GetSelector()))
	if err != nil {
		return nil, requestStatus(err)
	}
	page := pageAfter(selected, after, cmp.Or(int(r.GetPageSize()), defaultPageSize))
	response := &fleetv1.ListClustersResponse{
		Clusters:  fitting(page, clusterMessage),
		TotalSize: int32(len(selected)), //nolint:gosec // a fleet has fewer than 2³¹ clusters
	}
	if n := len(response.Clusters); n > 0 && page[n-1].Definition.Name != selected[len(selected)-1].Definition.Name {
		response.NextPageToken = pageToken(page[n-1].Definition.Name)
	}
	return response, nil
}

// pageAfter returns at most size clusters that come after a name.
func pageAfter(sorted []fleet.Cluster, after string, size int) []fleet.Cluster {
	begin, found := slices.BinarySearchFunc(sorted, after, func(c fleet.Cluster, name string) int {
		return strings.Compare(c.Definition.Name, name)
	})
	if found {
		begin++
	}
	return sorted[begin:min(begin+size, len(sorted))]
}

// GetCluster returns one cluster.
func (s *clusters) GetCluster(_ context.Context, r *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
	c, err := s.fleet.Cluster(r.GetName())
	if err != nil {
		return nil, requestStatus(err)
	}
	return &fleetv1.GetClusterResponse{Cluster: clusterMessage(c)}, nil
}
