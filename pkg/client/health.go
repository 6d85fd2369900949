package client

import (
	"context"
	"iter"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// ListClusterHealth returns what the monitor knows of the selected clusters, in the order that req asks for, over all
// pages from req's own on. An error ends it.
func (c *Client) ListClusterHealth(ctx context.Context, req *fleetv1.ListClusterHealthRequest) iter.Seq2[*fleetv1.ClusterHealth, error] {
	return pages("the clusters' health", req.GetPageToken(), func(token string) ([]*fleetv1.ClusterHealth, string, error) {
		page := copied(req)
		page.PageToken = token
		answer, err := unary(ctx, c, page, c.health.ListClusterHealth)
		return answer.GetClusters(), answer.GetNextPageToken(), err
	})
}

// ListTransitions returns the history of state changes, the latest first, over all pages from req's own on: leave the
// loop when it is enough. An error ends it.
func (c *Client) ListTransitions(ctx context.Context, req *fleetv1.ListTransitionsRequest) iter.Seq2[*fleetv1.Transition, error] {
	return pages("the history", req.GetPageToken(), func(token string) ([]*fleetv1.Transition, string, error) {
		page := copied(req)
		page.PageToken = token
		answer, err := unary(ctx, c, page, c.health.ListTransitions)
		return answer.GetTransitions(), answer.GetNextPageToken(), err
	})
}

// GetFleetOverview returns a summary of the selected clusters. A section that could not be made is data, in its failures.
func (c *Client) GetFleetOverview(ctx context.Context, req *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error) {
	return unary(ctx, c, req, c.fleet.GetFleetOverview)
}
