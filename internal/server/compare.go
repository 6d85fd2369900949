package server

import (
	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// CompareManifests reads one type of objects from the selected clusters and sends how they differ. The data of Secrets needs
// no permission: it is never sent.
func (s *manifests) CompareManifests(r *fleetv1.CompareManifestsRequest, stream grpc.ServerStreamingServer[fleetv1.CompareManifestsResponse]) error {
	ctx, cancel := withBudget(stream.Context())
	defer cancel()
	run, err := s.fleet.Compare(ctx, fleet.CompareRequest{
		Selector:     selector(r.GetSelector()),
		Query:        compareQuery(r),
		Timeout:      r.GetPerClusterTimeout().AsDuration(),
		Limit:        int(r.GetMaxConcurrency()),
		Against:      r.GetAgainst(),
		Ignore:       r.GetIgnore(),
		IncludeEqual: r.GetIncludeEqual(),
		Unreachable:  s.unreachable(r.GetIncludeUnreachable()),
	})
	if err != nil {
		return requestStatus(err)
	}
	call := begin(run.Expected)
	err = stream.Send(&fleetv1.CompareManifestsResponse{Event: &fleetv1.CompareManifestsResponse_Started{Started: started(run.Expected)}})
	if err != nil {
		return err
	}
	cut, untold := false, false
	for event := range run.Results {
		if event.Cluster != nil {
			call.Compare(event.Cluster)
		}
		if event.Totals != nil {
			cut, untold = event.Totals.Cut, event.Totals.Untold > 0
		}
		if err := stream.Send(comparedEvent(event)); err != nil {
			return err
		}
	}
	end := call.end(ctx)
	end.DeadlineExceeded = end.GetDeadlineExceeded() || untold || cut && call.Failed+call.NotAttempted > 0
	return stream.Send(&fleetv1.CompareManifestsResponse{Event: &fleetv1.CompareManifestsResponse_Summary{Summary: end}})
}
