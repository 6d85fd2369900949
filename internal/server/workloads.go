package server

import (
	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// workloads serves fleet.v1.WorkloadService.
type workloads struct {
	fleetv1.UnimplementedWorkloadServiceServer

	watched

	fleet *fleet.Fleet
}

// SummarizeHibernation looks at the workloads of the selected clusters and sends what sleeps in each as it comes.
func (s *workloads) SummarizeHibernation(r *fleetv1.SummarizeHibernationRequest, stream grpc.ServerStreamingServer[fleetv1.SummarizeHibernationResponse]) error {
	ctx, cancel := withBudget(stream.Context())
	defer cancel()
	run, err := s.fleet.SummarizeHibernation(ctx, fleet.HibernationRequest{
		Selector:      selector(r.GetSelector()),
		Namespace:     r.GetNamespace(),
		LabelSelector: r.GetLabelSelector(),
		Annotation:    r.GetAnnotation(),
		Grouping:      grouping(r.GetGrouping()),
		Timeout:       r.GetPerClusterTimeout().AsDuration(),
		Limit:         int(r.GetMaxConcurrency()),
		Unreachable:   s.unreachable(r.GetIncludeUnreachable()),
	})
	if err != nil {
		return requestStatus(err)
	}
	call := begin(run.Expected)
	err = stream.Send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Started{Started: started(run.Expected)}})
	if err != nil {
		return err
	}
	for result := range run.Results {
		call.Hibernation(result)
		event := &fleetv1.SummarizeHibernationResponse_Result{Result: hibernationResult(result)}
		if err := stream.Send(&fleetv1.SummarizeHibernationResponse{Event: event}); err != nil {
			return err
		}
	}
	return stream.Send(&fleetv1.SummarizeHibernationResponse{Event: &fleetv1.SummarizeHibernationResponse_Summary{Summary: call.end(ctx)}})
}
