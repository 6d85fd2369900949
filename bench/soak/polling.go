package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

const (
	// pollTime bounds what one look of a dashboard takes: calls that are answered from memory or from the store.
	pollTime = 20 * time.Second
	// fewestAPage is the size of a page at least: the whole history, one by one, takes longer than that.
	fewestAPage = 50
)

// poll asks for what is known, all of it, as a dashboard does.
func (v *visit) poll(ctx context.Context) {
	ctx, cancel := withTime(ctx, pollTime)
	defer cancel()
	orders := []fleetv1.ListClusterHealthRequest_Order{
		fleetv1.ListClusterHealthRequest_ORDER_NAME, fleetv1.ListClusterHealthRequest_ORDER_STATE,
		fleetv1.ListClusterHealthRequest_ORDER_SINCE, fleetv1.ListClusterHealthRequest_ORDER_LATENCY,
	}
	order := orders[v.random.IntN(len(orders))]
	listed := drain(ctx, v, "ListClusterHealth", v.client.ListClusterHealth(ctx, &fleetv1.ListClusterHealthRequest{OrderBy: order}))
	if listed > 0 && listed < len(v.names) && order == fleetv1.ListClusterHealthRequest_ORDER_NAME && ctx.Err() == nil {
		v.tally.fail("ListClusterHealth", fmt.Errorf("%d clusters, of which %d never leave", listed, len(v.names)))
	}
	drain(ctx, v, "ListClusters", v.client.ListClusters(ctx, &fleetv1.ListClustersRequest{}))
	transitions := &fleetv1.ListTransitionsRequest{PageSize: int32(fewestAPage + v.random.IntN(1000-fewestAPage))}
	if v.random.IntN(2) == 0 {
		transitions.Selector = &fleetv1.ClusterSelector{Names: v.names[:1+v.random.IntN(50)]}
	}
	drain(ctx, v, "ListTransitions", v.client.ListTransitions(ctx, transitions))
	_, err := v.client.GetFleetOverview(ctx, &fleetv1.GetFleetOverviewRequest{GroupBy: "region"})
	v.note(ctx, "GetFleetOverview", err)
	_, err = v.client.ListResourceTypes(ctx, &fleetv1.ListResourceTypesRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: v.label()}})
	v.note(ctx, "ListResourceTypes", err)
}

// drain reads all pages, and returns how many entries there were.
func drain[E any](ctx context.Context, v *visit, call string, entries iter.Seq2[E, error]) (count int) {
	for _, err := range entries {
		if err != nil {
			v.note(ctx, call, err)
			return 0
		}
		count++
	}
	v.note(ctx, call, nil)
	return count
}
