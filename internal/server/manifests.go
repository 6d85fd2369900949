package server

import (
	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// manifests serves fleet.v1.ManifestService.
type manifests struct {
	fleetv1.UnimplementedManifestServiceServer
	watched

	fleet      *fleet.Fleet
	secretData bool // callers may ask for it
}

// permit refuses an output that the operator has not allowed.
func (s *manifests) permit(o *fleetv1.Output) error {
	if o.GetSecretData() && !s.secretData {
		return secretDataNotAllowed()
	}
	return nil
}

// FetchManifests reads one type of objects from the selected clusters and sends them as they arrive.
func (s *manifests) FetchManifests(r *fleetv1.FetchManifestsRequest, stream grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error {
	if err := s.permit(r.GetOutput()); err != nil {
		return err
	}
	wanted, err := fetchShape(r)
	if err != nil {
		return err
	}
	ctx, cancel := withBudget(stream.Context())
	defer cancel()
	run, err := s.fleet.Fetch(ctx, fleet.FetchRequest{
		Selector:        selector(r.GetSelector()),
		Query:           fetchQuery(r),
		Timeout:         r.GetPerClusterTimeout().AsDuration(),
		Limit:           int(r.GetMaxConcurrency()),
		LimitPerCluster: r.GetLimitPerCluster(),
		Keep:            keep(r.GetOutput()),
		Unreachable:     s.unreachable(r.GetIncludeUnreachable()),
		Shape:           wanted,
	})
	if err != nil {
		return requestStatus(err)
	}
	call := begin(run.Expected)
	err = stream.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Started{Started: started(run.Expected)}})
	if err != nil {
		return err
	}
	for b := range run.Results {
		call.Fetch(b)
		message, err := pack(b)
		if err != nil {
			return err
		}
		b.Release()
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	return stream.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Summary{Summary: call.end(ctx)}})
}

// GetManifests reads single objects and sends each as it comes.
func (s *manifests) GetManifests(r *fleetv1.GetManifestsRequest, stream grpc.ServerStreamingServer[fleetv1.GetManifestsResponse]) error {
	if r.GetOutput().GetFormat() == fleetv1.Output_FORMAT_TABLE {
		return invalidField("output.format", "FORMAT_TABLE is not for GetManifests")
	}
	if err := s.permit(r.GetOutput()); err != nil {
		return err
	}
	template, err := projection(r.GetOutput())
	if err != nil {
		return err
	}
	ctx, cancel := withBudget(stream.Context())
	defer cancel()
	run, err := s.fleet.Get(ctx, fleet.GetRequest{
		References:  references(r),
		Timeout:     r.GetPerClusterTimeout().AsDuration(),
		Limit:       int(r.GetMaxConcurrency()),
		Keep:        keep(r.GetOutput()),
		Unreachable: s.unreachable(r.GetIncludeUnreachable()),
		Projection:  template,
	})
	if err != nil {
		return requestStatus(err)
	}
	call := begin(run.Expected)
	err = stream.Send(&fleetv1.GetManifestsResponse{Event: &fleetv1.GetManifestsResponse_Started{Started: started(run.Expected)}})
	if err != nil {
		return err
	}
	for result := range run.Results {
		call.Get(result)
		event := &fleetv1.GetManifestsResponse_Result{Result: referenceResult(result)}
		if err := stream.Send(&fleetv1.GetManifestsResponse{Event: event}); err != nil {
			return err
		}
	}
	return stream.Send(&fleetv1.GetManifestsResponse{Event: &fleetv1.GetManifestsResponse_Summary{Summary: call.end(ctx)}})
}
