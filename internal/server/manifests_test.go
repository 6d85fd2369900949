package server_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// fetch makes the call and checks the shape of its stream.
func fetch(ctx context.Context, t testing.TB, conn *grpc.ClientConn, r *fleetv1.FetchManifestsRequest) fetched {
	t.Helper()
	stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(ctx, r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatalf("the stream ended with %v", err)
	}
	f := collect(t, messages)
	for _, m := range messages {
		f.largest = max(f.largest, proto.Size(m))
	}
	return f
}

func configMaps() *fleetv1.ResourceType {
	return &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"}
}

func TestFetchStreamBringsEveryObjectOfTheGoodOnes(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4, OwnPorts: true, Counts: fleettest.OnlyConfigMaps(1100), ObjectBytes: 1500})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.Refuse})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.TruncatedJSON, Paths: []string{"/api/v1/configmaps"}})
	conn := serve(t, f, server.Options{})
	got := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
	for _, name := range names[2:] {
		c := got.clusters[name]
		if len(c.names) != 1100 || c.items != 1100 || c.completion.GetItems() != 1100 || c.completion.GetPages() != 3 || c.completion.GetError() != nil {
			t.Errorf("%s: %d objects, %d names, %v", name, c.items, len(c.names), c.completion)
		}
	}
	for name, want := range map[string]codes.Code{names[0]: codes.Unavailable, names[1]: codes.Internal} {
		e := got.clusters[name].completion.GetError()
		if status.FromProto(e).Code() != want {
			t.Errorf("%s: %v", name, e)
		}
		detailsOf(t, e)
	}
	if s := got.summary; s.GetSucceeded() != 2 || s.GetFailed() != 2 || s.GetItems() < 2200 || s.GetBytes() < 3<<20 {
		t.Errorf("summary: %v", s)
	}
	if got.largest > 300<<10 {
		t.Errorf("a message has %d bytes", got.largest)
	}
}

func TestLargeObjectsFitIntoMessages(t *testing.T) {
	_, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(3), ObjectBytes: 1_400_000})
	got := fetch(t.Context(), t, serve(t, f, server.Options{}), &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
	if got.summary.GetItems() != 3 || got.largest < 1_300_000 || got.largest >= 4<<20 {
		t.Errorf("the largest message has %d bytes: %v", got.largest, got.summary)
	}
}

func TestTablesComeAsRows(t *testing.T) {
	_, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	got := fetch(t.Context(), t, serve(t, f, server.Options{}), &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Resource: "po"},
		Output:       &fleetv1.Output{Format: fleetv1.Output_FORMAT_TABLE},
	})
	for name, c := range got.clusters {
		if c.items != 50 || c.completion.GetError() != nil {
			t.Errorf("%s: %d rows, %v", name, c.items, c.completion)
		}
	}
}

func TestHostileRequestsReachNoCluster(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	conn := serve(t, f, server.Options{})
	good := func() *fleetv1.FetchManifestsRequest {
		return &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), Namespace: "default", Name: "a"}
	}
	for _, evil := range []string{"../secrets", "a/b", "a%2fb", "a?x=1", "..", "a#b", "a\\b", "a\nb", "\u202ea"} {
		for field, spoil := range map[string]func(*fleetv1.FetchManifestsRequest){
			"resource_type.group":    func(r *fleetv1.FetchManifestsRequest) { r.ResourceType.Group = evil },
			"resource_type.version":  func(r *fleetv1.FetchManifestsRequest) { r.ResourceType.Version = evil },
			"resource_type.resource": func(r *fleetv1.FetchManifestsRequest) { r.ResourceType.Resource = evil },
			"namespace":              func(r *fleetv1.FetchManifestsRequest) { r.Namespace = evil },
			"name":                   func(r *fleetv1.FetchManifestsRequest) { r.Name = evil },
		} {
			r := good()
			spoil(r)
			stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(t.Context(), r)
			messages, err := receive(t, stream, err)
			mustBeInvalid(t, fmt.Sprintf("%s %q", field, evil), field, len(messages), err)

			got, err := fleetv1.NewManifestServiceClient(conn).GetManifests(t.Context(), &fleetv1.GetManifestsRequest{References: []*fleetv1.Reference{{
				Cluster: sim.Names()[0], ResourceType: r.GetResourceType(), Namespace: r.GetNamespace(), Name: r.GetName(),
			}}})
			results, err := receive(t, got, err)
			mustBeInvalid(t, fmt.Sprintf("get: %s %q", field, evil), "references[0]."+field, len(results), err)

			comparing, err := fleetv1.NewManifestServiceClient(conn).CompareManifests(t.Context(), &fleetv1.CompareManifestsRequest{
				ResourceType: r.GetResourceType(), Namespace: r.GetNamespace(), Name: r.GetName(),
			})
			compared, err := receive(t, comparing, err)
			mustBeInvalid(t, fmt.Sprintf("compare: %s %q", field, evil), field, len(compared), err)
		}
		summarizing, err := fleetv1.NewWorkloadServiceClient(conn).SummarizeHibernation(t.Context(), &fleetv1.SummarizeHibernationRequest{Namespace: evil})
		summarized, err := receive(t, summarizing, err)
		mustBeInvalid(t, fmt.Sprintf("hibernation: %q", evil), "namespace", len(summarized), err)
		_, err = fleetv1.NewManifestServiceClient(conn).ListResourceTypes(t.Context(), &fleetv1.ListResourceTypesRequest{Group: new(evil)})
		mustBeInvalid(t, fmt.Sprintf("types: %q", evil), "group", 0, err)
	}
	r := good()
	r.LabelSelector = "app=x"
	stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(t.Context(), r)
	messages, err := receive(t, stream, err)
	mustBeInvalid(t, "a name with a selector", "label_selector", len(messages), err)
	r = good()
	r.Name, r.FieldSelector = "", "a=b=c=="
	stream, err = fleetv1.NewManifestServiceClient(conn).FetchManifests(t.Context(), r)
	messages, err = receive(t, stream, err)
	mustBeInvalid(t, "a field selector that does not parse", "field_selector", len(messages), err)
	if n := sim.Stats().AcceptedConnections; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func mustBeInvalid(t *testing.T, about, field string, messages int, err error) {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != codes.InvalidArgument || messages != 0 {
		t.Errorf("%s: %d messages, then %v", about, messages, err)
		return
	}
	_, _, bad := detailsOf(t, s.Proto())
	v := bad.GetFieldViolations()
	if len(v) != 1 || !strings.HasPrefix(field, v[0].GetField()) || v[0].GetField() == "" || v[0].GetDescription() == "" {
		t.Errorf("%s: violations %v", about, v)
	}
}

func TestThousandsOfMistakesMakeAShortError(t *testing.T) {
	conn := serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{})
	r := &fleetv1.GetManifestsRequest{}
	for range 5000 {
		r.References = append(r.References, &fleetv1.Reference{Cluster: "c", ResourceType: configMaps(), Name: "a/b"})
	}
	stream, err := fleetv1.NewManifestServiceClient(conn).GetManifests(t.Context(), r)
	_, err = receive(t, stream, err)
	s := status.Convert(err)
	if s.Code() != codes.InvalidArgument || len(s.Message()) > 4096 {
		t.Fatalf("%v with %d bytes", s.Code(), len(s.Message()))
	}
	if _, _, bad := detailsOf(t, s.Proto()); len(bad.GetFieldViolations()) == 0 || len(bad.GetFieldViolations()) > 10 {
		t.Errorf("%d violations", len(bad.GetFieldViolations()))
	}
}

func TestResultsByReferenceCarryTheirIndex(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	names := sim.Names()
	conn := serve(t, f, server.Options{})
	all := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), Selector: &fleetv1.ClusterSelector{Names: names[:1]}})
	r := &fleetv1.GetManifestsRequest{}
	for path := range all.clusters[names[0]].names {
		namespace, name, _ := strings.Cut(path, "/")
		for _, in := range append(names, "there-is-none") {
			r.References = append(r.References, &fleetv1.Reference{Cluster: in, ResourceType: configMaps(), Namespace: namespace, Name: name})
		}
	}
	r.References = append(r.References, &fleetv1.Reference{Cluster: names[0], ResourceType: configMaps(), Namespace: "default", Name: "not-there"})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Forbidden})

	stream, err := fleetv1.NewManifestServiceClient(conn).GetManifests(t.Context(), r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatal(err)
	}
	if n := messages[0].GetStarted().GetExpected(); int(n) != len(r.GetReferences()) || len(messages) != len(r.GetReferences())+2 {
		t.Fatalf("%d expected, %d messages for %d references", n, len(messages), len(r.GetReferences()))
	}
	seen := make(map[int32]bool)
	for _, m := range messages[1 : len(messages)-1] {
		got := m.GetResult()
		want := r.GetReferences()[got.GetIndex()]
		seen[got.GetIndex()] = true
		code := status.FromProto(got.GetError()).Code()
		switch {
		case got.GetCluster() != want.GetCluster():
			t.Errorf("reference %d is answered by %s", got.GetIndex(), got.GetCluster())
		case want.GetCluster() == names[1]:
			if code != codes.PermissionDenied {
				t.Errorf("reference %d: %v", got.GetIndex(), got.GetError())
			}
		case want.GetCluster() == "there-is-none", want.GetName() == "not-there":
			if code != codes.NotFound || got.GetManifest() != nil {
				t.Errorf("reference %d: %v", got.GetIndex(), got.GetError())
			}
		default:
			if code != codes.OK || got.GetManifest().GetName() != want.GetName() || !strings.Contains(got.GetManifest().GetJson(), want.GetName()) {
				t.Errorf("reference %d: %v", got.GetIndex(), got)
			}
		}
	}
	if len(seen) != len(r.GetReferences()) {
		t.Errorf("%d of %d references were answered", len(seen), len(r.GetReferences()))
	}
	mustAddUp(t, messages[len(messages)-1].GetSummary(), len(r.GetReferences()))
}

func TestTablesAreNotForReferences(t *testing.T) {
	conn := serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{})
	stream, err := fleetv1.NewManifestServiceClient(conn).GetManifests(t.Context(), &fleetv1.GetManifestsRequest{
		References: []*fleetv1.Reference{{Cluster: "c", ResourceType: configMaps(), Name: "a"}},
		Output:     &fleetv1.Output{Format: fleetv1.Output_FORMAT_TABLE},
	})
	messages, err := receive(t, stream, err)
	mustBeInvalid(t, "a table", "output.format", len(messages), err)
}

func TestDataOfSecretsIsSentOnlyWhereItIsPermittedAndAskedFor(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	secrets := &fleetv1.ResourceType{Version: "v1", Resource: "secrets"}
	request := func(asked bool) *fleetv1.FetchManifestsRequest {
		return &fleetv1.FetchManifestsRequest{ResourceType: secrets, Output: &fleetv1.Output{SecretData: asked}}
	}
	for _, c := range []struct{ permitted, asked, sent, refused bool }{
		{permitted: false, asked: false},
		{permitted: false, asked: true, refused: true},
		{permitted: true, asked: false},
		{permitted: true, asked: true, sent: true},
	} {
		t.Run(fmt.Sprintf("permitted %t, asked for %t", c.permitted, c.asked), func(t *testing.T) {
			service := fleetv1.NewManifestServiceClient(serve(t, f, server.Options{SecretData: c.permitted}))
			fetching, err := service.FetchManifests(t.Context(), request(c.asked))
			fetched, fetchErr := receive(t, fetching, err)
			getting, err := service.GetManifests(t.Context(), &fleetv1.GetManifestsRequest{
				References: []*fleetv1.Reference{{Cluster: sim.Names()[0], ResourceType: secrets, Namespace: "default", Name: "any"}},
				Output:     request(c.asked).GetOutput(),
			})
			got, getErr := receive(t, getting, err)
			if c.refused {
				mustBeForbidden(t, "fetch", len(fetched), fetchErr)
				mustBeForbidden(t, "get", len(got), getErr)
				return
			}
			if fetchErr != nil || getErr != nil {
				t.Fatalf("refused: %v, %v", fetchErr, getErr)
			}
			count, withData := 0, 0
			for _, m := range fetched {
				for _, secret := range m.GetBatch().GetManifests() {
					count++
					if strings.Contains(secret.GetJson(), `"data":{`) {
						withData++
					}
				}
			}
			if want := map[bool]int{true: count}[c.sent]; count == 0 || withData != want {
				t.Errorf("%d of %d Secrets have data, want %d", withData, count, want)
			}
		})
	}
}

func mustBeForbidden(t *testing.T, about string, messages int, err error) {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != codes.PermissionDenied || messages != 0 || !strings.Contains(s.Message(), "--allow-secret-data") {
		t.Errorf("%s: %d messages, then %v", about, messages, err)
		return
	}
	if info, _, _ := detailsOf(t, s.Proto()); info.GetReason() != "SECRET_DATA_NOT_ALLOWED" {
		t.Errorf("%s: %v", about, info)
	}
}

func TestACallerWhoDoesNotReadStopsTheReadingOfClusters(t *testing.T) {
	const clusters, objects, size = 10, 500, 40_000 // 20 MB a cluster
	sim, f := fleettest.Start(t, simulator.Config{Clusters: clusters, Counts: fleettest.OnlyConfigMaps(objects), ObjectBytes: size})
	conn := serve(t, f, server.Options{})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	stream, err := fleetv1.NewManifestServiceClient(conn).FetchManifests(ctx, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	written := int64(-1)
	await(t, "nothing more is read", func() bool {
		<-time.After(300 * time.Millisecond)
		last := written
		written = sim.Stats().BytesWritten
		return written == last && written > clusters*objects
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d KiB a cluster were read before the reading stopped; the heap has grown by %d MiB", written/clusters>>10, grown>>20)
	if written > clusters*8<<20 || grown > clusters*8<<20 {
		t.Error("that is too much")
	}
	leave()
	await(t, "the servers see that the caller left", func() bool { return sim.Stats().InFlight == 0 })
}
