package main

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// leaves are the fields of a message that hold a value, by their paths; those of google.protobuf are values themselves.
func leaves(m protoreflect.MessageDescriptor, prefix string) []string {
	var paths []string
	for i := range m.Fields().Len() {
		field := m.Fields().Get(i)
		path := prefix + string(field.Name())
		if of := field.Message(); of != nil && of.ParentFile().Package() == m.ParentFile().Package() {
			paths = append(paths, leaves(of, path+".")...)
			continue
		}
		paths = append(paths, path)
	}
	return paths
}

func TestEachFieldOfARequestIsCalledByItsFlag(t *testing.T) {
	noFlag := []string{"page_token", "resume_token"}
	for _, request := range []proto.Message{
		&fleetv1.ListClustersRequest{}, &fleetv1.ProbeClustersRequest{}, &fleetv1.FetchManifestsRequest{}, &fleetv1.WatchClusterHealthRequest{},
		&fleetv1.CompareManifestsRequest{}, &fleetv1.ListTransitionsRequest{}, &fleetv1.ListResourceTypesRequest{},
		&fleetv1.SummarizeHibernationRequest{}, &fleetv1.GetFleetOverviewRequest{},
	} {
		descriptor := request.ProtoReflect().Descriptor()
		for _, field := range leaves(descriptor, "") {
			if flagName(field) == field && !slices.Contains(noFlag, field) {
				t.Errorf("%s: %s is called by its own name", descriptor.Name(), field)
			}
		}
	}
}

func TestARefusalNamesTheFlag(t *testing.T) {
	for field, flag := range map[string]string{"where": "--where", "output.json_path": "--group-by", "ignore[2]": "--ignore", "unheard_of": "unheard_of"} {
		for _, detailed := range []bool{true, false} {
			s := status.New(codes.InvalidArgument, field+": 1:3: a mistake")
			if detailed {
				var err error
				if s, err = s.WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: "1:3: a mistake"}}}); err != nil {
					t.Fatal(err)
				}
			}
			address := clienttest.Serve(t, clienttest.Script{FetchManifests: func(*fleetv1.FetchManifestsRequest, fetchServer) error { return s.Err() }})
			_, stderr, code := fleetctl(t.Context(), t, "get", "pods", "--server", address)
			if want := fmt.Sprintf("error: %s: 1:3: a mistake\n", flag); stderr != want || code != exitUsage {
				t.Errorf("exit code %d: %q, want %q", code, stderr, want)
			}
		}
	}
}
