package server

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

const (
	defaultPageSize = 500
	// maxPageBytes keeps a page within a message, however much the clusters say of themselves.
	maxPageBytes = maxMessageBytes - 512<<10
)

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
	page := pageAfter(selected, string(after), cmp.Or(int(r.GetPageSize()), defaultPageSize))
	response := &fleetv1.ListClustersResponse{
		TotalSize: int32(len(selected)), //nolint:gosec // a fleet has fewer than 2³¹ clusters
	}
	size := 0
	for i, c := range page {
		message := clusterMessage(c)
		if size += proto.Size(message); size > maxPageBytes && i > 0 {
			page = page[:i]
			break
		}
		response.Clusters = append(response.Clusters, message)
	}
	if n := len(page); n > 0 && page[n-1].Definition.Name != selected[len(selected)-1].Definition.Name {
		response.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(page[n-1].Definition.Name))
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
