package server

import (
	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// probes serves what fleet.v1.HealthService asks of the clusters now.
type probes struct {
	fleetv1.UnimplementedHealthServiceServer

	fleet *fleet.Fleet
}

// ProbeClusters tests the selected clusters and sends each result as it comes.
func (s *probes) ProbeClusters(r *fleetv1.ProbeClustersRequest, stream grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error {
	ctx, cancel := withBudget(stream.Context())
	defer cancel()
	run, err := s.fleet.Probe(ctx, fleet.ProbeRequest{
		Selector: selector(r.GetSelector()),
		Depth:    wantedDepth(r.GetDepth()),
		Timeout:  r.GetPerClusterTimeout().AsDuration(),
		Limit:    int(r.GetMaxConcurrency()),
	})
	if err != nil {
		return requestStatus(err)
	}
	call := begin(run.Expected)
	err = stream.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: started(run.Expected)}})
	if err != nil {
		return err
	}
	for result := range run.Results {
		call.Probe(result)
		event := &fleetv1.ProbeClustersResponse_Result{Result: probeResult(result)}
		if err := stream.Send(&fleetv1.ProbeClustersResponse{Event: event}); err != nil {
			return err
		}
	}
	return stream.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: call.end(ctx)}})
}

func probeResult(r fleet.ProbeResult) *fleetv1.ProbeResult {
	m := &fleetv1.ProbeResult{Cluster: r.Cluster, Observation: observation(r.Observation), Skipped: r.Skipped}
	switch {
	case r.Err != nil:
		m.Error = clusterStatus(r.Err)
	case r.Observation != nil:
		m.Error = verdictStatus(r.Observation.Verdict)
	}
	return m
}
