package server

import (
	"context"
	"encoding/base64"
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
	after, err := base64.RawURLEncoding.DecodeString(r.GetPageToken())
	if err != nil {
		return nil, invalidField("page_token", "not the next_page_token of a previous page")
	}
	selected, err := s.fleet.Clusters(selector(r.GetSelector()))
	if err != nil {
		return nil, requestStatus(err)
	}
	page, next := cut(selected, string(after), int(r.GetPageSize()))
	response := &fleetv1.ListClustersResponse{
		NextPageToken: base64.RawURLEncoding.EncodeToString([]byte(next)),
		TotalSize:     int32(len(selected)), //nolint:gosec // a fleet has fewer than 2³¹ clusters
	}
	for _, c := range page {
		response.Clusters = append(response.Clusters, clusterMessage(c))
	}
	return response, nil
}

// cut returns the clusters of a page, and the name after which the next one begins, empty if there is none.
func cut(sorted []fleet.Cluster, after string, size int) ([]fleet.Cluster, string) {
	if size == 0 {
		size = defaultPageSize
	}
	begin, found := slices.BinarySearchFunc(sorted, after, func(c fleet.Cluster, name string) int {
		return strings.Compare(c.Definition.Name, name)
	})
	if found {
		begin++
	}
	page := sorted[begin:]
	if len(page) <= size {
		return page, ""
	}
	return page[:size], page[size-1].Definition.Name
}

// GetCluster returns one cluster.
func (s *clusters) GetCluster(_ context.Context, r *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
	c, err := s.fleet.Cluster(r.GetName())
	if err != nil {
		return nil, requestStatus(err)
	}
	return &fleetv1.GetClusterResponse{Cluster: clusterMessage(c)}, nil
}
