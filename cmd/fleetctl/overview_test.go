package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func TestSectionsThatFailedAreNamedAndTheOthersStand(t *testing.T) {
	failure := func(s fleetv1.GetFleetOverviewResponse_Section) *fleetv1.GetFleetOverviewResponse_Failure {
		return &fleetv1.GetFleetOverviewResponse_Failure{Section: s, Error: failed(codes.Unavailable, "the store is away", "STORE")}
	}
	answer := &fleetv1.GetFleetOverviewResponse{
		Versions: []*fleetv1.GetFleetOverviewResponse_Version{{Version: "v1.36.3", Count: 2}},
		Failures: []*fleetv1.GetFleetOverviewResponse_Failure{failure(fleetv1.GetFleetOverviewResponse_SECTION_TRANSITIONS)},
	}
	address := clienttest.Serve(t, clienttest.Script{GetFleetOverview: func(context.Context, *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error) {
		return answer, nil
	}})
	stdout, stderr, code := fleetctl(t.Context(), t, "overview", "--server", address)
	want := "VERSIONS\nVERSION   COUNT\nv1.36.3   2\n\nTRANSITIONS: could not be made\n"
	if diff := cmp.Diff(want, stdout); diff != "" || code != exitDone || stderr != "warning: section transitions: the store is away (STORE)\n" {
		t.Errorf("exit code %d: %s\nstdout (-want +got):\n%s", code, stderr, diff)
	}

	answer = &fleetv1.GetFleetOverviewResponse{}
	for s := range fleetv1.GetFleetOverviewResponse_Section_name {
		if s != 0 {
			answer.Failures = append(answer.Failures, failure(fleetv1.GetFleetOverviewResponse_Section(s)))
		}
	}
	if _, stderr, code := fleetctl(t.Context(), t, "overview", "-o", "json", "--server", address); code != exitFailed {
		t.Errorf("exit code %d where nothing could be made: %s", code, stderr)
	}
}
