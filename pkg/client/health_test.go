package client_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func TestHealthAndHistoryAreReadOverAllPages(t *testing.T) {
	next := map[string]string{"": "b", "b": "c"}
	c := dial(t, clienttest.Serve(t, clienttest.Script{
		ListClusterHealth: func(_ context.Context, req *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error) {
			if req.GetOrderBy() != fleetv1.ListClusterHealthRequest_ORDER_SINCE {
				return nil, status.Error(codes.InvalidArgument, "the order got lost")
			}
			return &fleetv1.ListClusterHealthResponse{
				Clusters: []*fleetv1.ClusterHealth{{Cluster: req.GetPageToken() + "1"}}, NextPageToken: next[req.GetPageToken()],
			}, nil
		},
		ListTransitions: func(_ context.Context, req *fleetv1.ListTransitionsRequest) (*fleetv1.ListTransitionsResponse, error) {
			return &fleetv1.ListTransitionsResponse{
				Transitions: []*fleetv1.Transition{{Cluster: req.GetPageToken() + "2"}}, NextPageToken: next[req.GetPageToken()],
			}, nil
		},
	}))
	var names []string
	for h, err := range c.ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{OrderBy: fleetv1.ListClusterHealthRequest_ORDER_SINCE}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.GetCluster())
	}
	for transition, err := range c.ListTransitions(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, transition.GetCluster())
	}
	if diff := cmp.Diff([]string{"1", "b1", "c1", "2", "b2", "c2"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
