package server

import (
	"context"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// ListResourceTypes tells which resource types the selected clusters serve.
func (s *manifests) ListResourceTypes(ctx context.Context, r *fleetv1.ListResourceTypesRequest) (*fleetv1.ListResourceTypesResponse, error) {
	ctx, cancel := withBudget(ctx)
	defer cancel()
	call := begin(0)
	report, err := s.fleet.Types(ctx, fleet.TypesRequest{
		Selector: selector(r.GetSelector()),
		Group:    r.Group, // an empty group is another than none
		Removed:  r.GetDeprecated(),
		Timeout:  r.GetPerClusterTimeout().AsDuration(),
		Limit:    int(r.GetMaxConcurrency()),

		Unreachable: s.unreachable(r.GetIncludeUnreachable()),
	})
	if err != nil {
		return nil, requestStatus(err)
	}
	call.Summary = report.Summary
	return typesMessage(report, call.end(ctx)), nil
}
