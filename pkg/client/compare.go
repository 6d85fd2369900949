package client

import (
	"context"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// CompareStream yields an object each, once all clusters were read. What became of the clusters, and the totals, are among
// its Events.
type CompareStream = Stream[fleetv1.CompareManifestsResponse, *fleetv1.CompareManifestsResponse, *fleetv1.ComparedObject]

// CompareManifests reads one object, or all of a selection, from the selected clusters and tells how they differ.
func (c *Client) CompareManifests(ctx context.Context, req *fleetv1.CompareManifestsRequest) *CompareStream {
	return newStream(ctx, c, req, c.manifests.CompareManifests, (*fleetv1.CompareManifestsResponse).GetObject)
}
