package server_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
	"unicode"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// methods returns all methods of fleet.v1.
func methods() []protoreflect.MethodDescriptor {
	var all []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage("fleet.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			for m := range file.Services().Get(i).Methods().Len() {
				all = append(all, file.Services().Get(i).Methods().Get(m))
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.MethodDescriptor) int {
		return cmp.Compare(a.FullName(), b.FullName())
	})
	return all
}

func emptyMessage(t testing.TB, d protoreflect.MessageDescriptor) proto.Message {
	t.Helper()
	found, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		t.Fatal(err)
	}
	return found.New().Interface()
}

// requests reach far into what the handlers do with a request.
func requests() []proto.Message {
	pods := &fleetv1.ResourceType{Group: "apps", Version: "v1", Resource: "deployments"}
	some := &fleetv1.ClusterSelector{Names: []string{"a"}, LabelSelector: "env in (prod),!x", States: []fleetv1.Verdict_State{1, 2, 3, 4, 5}}
	return []proto.Message{
		&fleetv1.ListClustersRequest{Selector: some, PageSize: 1, PageToken: "Yg"},
		&fleetv1.GetClusterRequest{Name: "a"},
		// These break a rule each.
		&fleetv1.FetchManifestsRequest{}, &fleetv1.FetchManifestsRequest{ResourceType: pods, Namespace: "../x"}, &fleetv1.FetchManifestsRequest{ResourceType: pods, MaxConcurrency: -1},
		&fleetv1.GetManifestsRequest{}, &fleetv1.GetClusterRequest{}, &fleetv1.ListClustersRequest{PageSize: -1}, &fleetv1.ProbeClustersRequest{PerClusterTimeout: durationpb.New(-1)},
		&fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{States: []fleetv1.Verdict_State{0}}}, &fleetv1.CompareManifestsRequest{ResourceType: pods},
		&fleetv1.GetFleetOverviewRequest{Selector: some},
		&fleetv1.ProbeClustersRequest{Selector: some, PerClusterTimeout: durationpb.New(time.Second), MaxConcurrency: 2, Depth: fleetv1.Verdict_DEPTH_QUICK},
		&fleetv1.ListClusterHealthRequest{Selector: some, PageSize: 1, OrderBy: fleetv1.ListClusterHealthRequest_ORDER_STATE, PageToken: "MjoxCg"},
		&fleetv1.WatchClusterHealthRequest{Selector: some, ResumeToken: "AQ"},
		&fleetv1.ListTransitionsRequest{Selector: some, PageSize: 1, PageToken: "Mg", Since: timestamppb.New(time.Unix(1, 0))},
		&fleetv1.FetchManifestsRequest{ResourceType: pods, Namespace: "a", LabelSelector: "a=b", FieldSelector: "metadata.name=x", Where: "object.a > 1", LimitPerCluster: 3},
		&fleetv1.FetchManifestsRequest{ResourceType: pods, Namespace: "a", Name: "b", Output: &fleetv1.Output{Format: 2, JsonPath: "{.a[?(@.b>1)]}"}},
		&fleetv1.FetchManifestsRequest{ResourceType: pods, Output: &fleetv1.Output{Format: 3, ManagedFields: true, SecretData: true}},
		&fleetv1.GetManifestsRequest{References: []*fleetv1.Reference{{Cluster: "a", ResourceType: pods, Namespace: "n", Name: "x"}, {Cluster: "?", ResourceType: pods, Name: "y"}}},
		&fleetv1.CompareManifestsRequest{ResourceType: pods, Namespace: "n", Name: "x", Selector: some},
		&fleetv1.ListResourceTypesRequest{Selector: some},
		&fleetv1.SummarizeHibernationRequest{Selector: some},
	}
}

// FuzzCall sends whatever bytes are a request to a server. Nothing that a caller sends is our fault or takes long; what
// breaks the rules of the API is refused and explained, in words that are safe to show; and what is fetched has a path.
func FuzzCall(f *testing.F) {
	all := methods()
	for _, r := range requests() {
		data, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		i := slices.IndexFunc(all, func(m protoreflect.MethodDescriptor) bool {
			return m.Input().FullName() == r.ProtoReflect().Descriptor().FullName()
		})
		f.Add(uint8(i), data)
	}
	clusters := fleettest.Of(f, []cluster.Definition{
		{Name: "a", Virtual: true, Labels: map[string]string{"env": "prod"}}, {Name: "b", Virtual: true},
	}, fleet.Options{})
	now := time.Now()
	conn := serve(f, clusters, server.Options{
		Monitor: newMonitor(record("a", cluster.Healthy, "env", "prod"), failing("b")),
		History: &history{all: []health.Transition{{Sequence: 2, Cluster: "b", At: now, To: cluster.Unreachable}, {Sequence: 1, Cluster: "a", At: now, To: cluster.Healthy}}},
	})
	f.Fuzz(func(t *testing.T, number uint8, data []byte) {
		method := all[int(number)%len(all)]
		request := emptyMessage(t, method.Input())
		if proto.Unmarshal(data, request) != nil {
			return
		}
		began := time.Now()
		err := call(t, conn, method, request)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", method.Name(), took)
		}
		requireExplained(t, status.Convert(err))
		if protovalidate.Validate(request) != nil && status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s breaks a rule, and yet: %v", method.Name(), err)
		}
		if r, ok := request.(*fleetv1.FetchManifestsRequest); ok && err == nil {
			q := cluster.Query{
				Type:      cluster.TypeName{Group: r.GetResourceType().GetGroup(), Version: r.GetResourceType().GetVersion(), Name: r.GetResourceType().GetResource()},
				Namespace: r.GetNamespace(), Name: r.GetName(), LabelSelector: r.GetLabelSelector(), FieldSelector: r.GetFieldSelector(),
			}
			if err := q.Validate(); err != nil {
				t.Errorf("fetched: %v", err)
			}
		}
	})
}

// call makes a call and returns its error, nil for one that went well up to its end, or up to where a watch has nothing more
// to say.
func call(t *testing.T, conn *grpc.ClientConn, method protoreflect.MethodDescriptor, request proto.Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/"+string(method.Parent().FullName())+"/"+string(method.Name()))
	if err != nil {
		return err
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	for {
		response := emptyMessage(t, method.Output())
		switch err := stream.RecvMsg(response); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if watched, ok := response.(*fleetv1.WatchClusterHealthResponse); ok && watched.GetSynced() != nil {
			return nil
		}
	}
}

func requireExplained(t *testing.T, s *status.Status) {
	t.Helper()
	if !slices.Contains([]codes.Code{codes.OK, codes.InvalidArgument, codes.NotFound, codes.FailedPrecondition, codes.PermissionDenied}, s.Code()) {
		t.Errorf("%v", s)
	}
	if s.Code() == codes.OK {
		return
	}
	explained := false
	for _, d := range s.Details() {
		info, ok := d.(*errdetails.ErrorInfo)
		explained = explained || ok && info.GetReason() != "" && info.GetDomain() == "clusterfleet"
	}
	if !explained || len(s.Message()) > 16<<10 || s.Message() == "" {
		t.Errorf("%v: %d bytes, explained: %t", s, len(s.Message()), explained)
	}
	for _, r := range s.Message() {
		if !unicode.IsPrint(r) {
			t.Errorf("%U in %q", r, s.Message())
		}
	}
}
