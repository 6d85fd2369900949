package server_test

import (
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
)

func verbose(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func TestCallersCannotSendWhatIsTooMuchOrUnknown(t *testing.T) {
	conn := serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{})
	_, err := fleetv1.NewClusterServiceClient(conn).ListClusters(t.Context(), &fleetv1.ListClustersRequest{PageToken: strings.Repeat("x", 5<<20)})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a request of 5 MiB: %v", err)
	}
	for _, method := range []string{"/fleet.v1.ClusterService/NoSuchMethod", "/no.such.Service/Method"} {
		if err := conn.Invoke(t.Context(), method, &fleetv1.ListClustersRequest{}, &fleetv1.ListClustersResponse{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func apiServices() []string {
	return []string{"fleet.v1.ClusterService", "fleet.v1.HealthService", "fleet.v1.ManifestService", "fleet.v1.WorkloadService"}
}

func TestHealthIsToldForEachService(t *testing.T) {
	client := healthpb.NewHealthClient(serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{}))
	for _, service := range append(apiServices(), "") {
		r, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || r.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, r, err)
		}
	}
	if _, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "no.such.Service"}); status.Code(err) != codes.NotFound {
		t.Errorf("an unknown service: %v", err)
	}
}

func TestReflectionListsTheServices(t *testing.T) {
	conn := serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{})
	v1, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v1.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	r, err := v1.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range r.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	mustList(t, "v1", names)

	alpha, err := reflectionalphapb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := alpha.Send(&reflectionalphapb.ServerReflectionRequest{MessageRequest: &reflectionalphapb.ServerReflectionRequest_ListServices{}}); err != nil { //nolint:staticcheck // grpcurl before 1.9 speaks it
		t.Fatal(err)
	}
	a, err := alpha.Recv()
	if err != nil {
		t.Fatal(err)
	}
	names = nil
	for _, s := range a.GetListServicesResponse().GetService() { //nolint:staticcheck // likewise
		names = append(names, s.GetName()) //nolint:staticcheck // likewise
	}
	mustList(t, "v1alpha", names)
}

func mustList(t *testing.T, version string, names []string) {
	t.Helper()
	for _, want := range append(apiServices(), "grpc.health.v1.Health") {
		if !slices.Contains(names, want) {
			t.Errorf("%s: %s is not among %v", version, want, names)
		}
	}
}
