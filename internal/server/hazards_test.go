package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// told is how the failure of a cluster is told; the zero value is none.
type told struct {
	code   codes.Code
	reason string
}

// hazard is a cluster that answers wrongly, and how calls tell of it: in one of these ways.
type hazard struct {
	fault  simulator.Fault
	want   []told
	except map[string][]told // by the call
}

func hazards() []hazard {
	var (
		good      = []told{{}}
		tooLarge  = []told{{codes.ResourceExhausted, "RESPONSE_TOO_LARGE"}}
		malformed = []told{{codes.Internal, "MALFORMED_RESPONSE"}}
		// What has no end ends at the bound of its size or at that of the time: that depends on how fast this machine is.
		endless = append(tooLarge, told{codes.DeadlineExceeded, "RESPONSE_TIMEOUT"})
	)
	return []hazard{
		{simulator.Fault{Kind: simulator.EndlessHeaders}, tooLarge, nil},
		{simulator.Fault{Kind: simulator.EndlessBody}, endless, map[string][]told{"GetManifests": malformed}}, // it is a list
		{simulator.Fault{Kind: simulator.GzipBomb}, endless, nil},
		{simulator.Fault{Kind: simulator.HugeList, Bytes: 2 << 20}, good, nil},
		{simulator.Fault{Kind: simulator.EndlessContinue}, endless, map[string][]told{"GetManifests": good, "ListResourceTypes": good}},
		{simulator.Fault{Kind: simulator.TruncatedJSON}, malformed, nil},
		{simulator.Fault{Kind: simulator.HTML}, malformed, nil},
		{simulator.Fault{Kind: simulator.DeepJSON}, malformed, nil},
		{simulator.Fault{Kind: simulator.Throttle, RetryAfter: 1<<31 - 1}, []told{{codes.Unavailable, "THROTTLED"}}, nil},
		{simulator.Fault{Kind: simulator.HostileText}, []told{{codes.Unavailable, "SERVER_ERROR"}}, nil},
	}
}

// answered is what one call told of each cluster: its error, nil for none, and how many things came of it.
type answered struct {
	errors map[string]*statuspb.Status
	items  map[string]int64
}

func (a answered) add(cluster string, c *fleetv1.Completion) {
	a.errors[cluster], a.items[cluster] = c.GetError(), c.GetItems()
}

// asked is a call to all clusters, and how many things come of one that is as it should be.
type asked struct {
	whole int64
	call  func(ctx context.Context, t *testing.T, conn *grpc.ClientConn, names []string, got answered)
}

func calls() map[string]asked {
	return map[string]asked{
		"FetchManifests": {20, fetchAllClusters}, "GetManifests": {references, getFromAllClusters}, "CompareManifests": {20, compareAllClusters},
		"SummarizeHibernation": {14, summarizeAllClusters}, "ListResourceTypes": {12, listTypesOfAllClusters},
	}
}

const (
	// patience is what one cluster may take: more than a connection may.
	patience = 10 * time.Second
	// callTime is what a call may take. Those that read whole lists take it.
	callTime = 20 * time.Second
)

func fetchAllClusters(ctx context.Context, t *testing.T, conn *grpc.ClientConn, _ []string, got answered) {
	r := &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), PerClusterTimeout: durationpb.New(patience)}
	for name, c := range fetch(ctx, t, conn, r).clusters {
		got.add(name, c.completion)
	}
}

func compareAllClusters(ctx context.Context, t *testing.T, conn *grpc.ClientConn, _ []string, got answered) {
	for name, c := range compare(ctx, t, conn, &fleetv1.CompareManifestsRequest{PerClusterTimeout: durationpb.New(patience)}).clusters {
		got.add(name, c)
	}
}

func summarizeAllClusters(ctx context.Context, t *testing.T, conn *grpc.ClientConn, _ []string, got answered) {
	for name, c := range hibernation(ctx, t, conn, &fleetv1.SummarizeHibernationRequest{PerClusterTimeout: durationpb.New(patience)}).clusters {
		got.add(name, c.GetCompletion())
	}
}

// references is how many objects of each cluster are asked for by reference.
const references = 3

// getFromAllClusters asks each for objects that the last one has: all have the same.
func getFromAllClusters(ctx context.Context, t *testing.T, conn *grpc.ClientConn, names []string, got answered) {
	healthy := names[len(names)-1]
	list := fetch(ctx, t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), LimitPerCluster: references, Selector: &fleetv1.ClusterSelector{Names: []string{healthy}}})
	r := &fleetv1.GetManifestsRequest{PerClusterTimeout: durationpb.New(patience)}
	for path := range list.clusters[healthy].names {
		namespace, name, _ := strings.Cut(path, "/")
		for _, in := range names {
			r.References = append(r.References, &fleetv1.Reference{Cluster: in, ResourceType: configMaps(), Namespace: namespace, Name: name})
		}
	}
	stream, err := fleetv1.NewManifestServiceClient(conn).GetManifests(ctx, r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatal(err)
	}
	mustAddUp(t, messages[len(messages)-1].GetSummary(), len(r.GetReferences()))
	for _, m := range messages[1 : len(messages)-1] {
		result := m.GetResult()
		if result.GetManifest() != nil {
			got.items[result.GetCluster()]++
			continue
		}
		got.errors[result.GetCluster()] = result.GetError()
	}
}

func listTypesOfAllClusters(ctx context.Context, t *testing.T, conn *grpc.ClientConn, names []string, got answered) {
	types, err := fleetv1.NewManifestServiceClient(conn).ListResourceTypes(ctx, &fleetv1.ListResourceTypesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	mustAddUp(t, types.GetSummary(), len(names))
	for _, f := range types.GetFailures() {
		got.errors[f.GetCluster()] = f.GetError()
	}
	for _, served := range types.GetTypes() {
		for _, name := range served.GetServing() {
			got.items[name]++
		}
	}
}

func TestNoCallIsHarmedByAClusterThatAnswersWrongly(t *testing.T) {
	for name, asked := range calls() {
		t.Run(name, func(t *testing.T) {
			hazards := hazards()
			sim, f := fleettest.Start(t, simulator.Config{Clusters: len(hazards) + 1})
			names := sim.Names()
			for i, h := range hazards {
				fleettest.SetFault(t, sim, names[i], h.fault)
			}
			ctx, cancel := context.WithTimeout(t.Context(), callTime)
			defer cancel()
			got := answered{errors: map[string]*statuspb.Status{}, items: map[string]int64{}}
			asked.call(ctx, t, serve(t, f, server.Options{}), names, got)
			if healthy := names[len(hazards)]; got.errors[healthy] != nil || got.items[healthy] != asked.whole {
				t.Errorf("of the healthy one came %d of %d: %v", got.items[healthy], asked.whole, got.errors[healthy])
			}
			for i, h := range hazards {
				want := h.want
				if except := h.except[name]; except != nil {
					want = except
				}
				mustBeTold(t, string(h.fault.Kind), got.errors[names[i]], want)
			}
		})
	}
}

// mustBeTold checks the error of a cluster: how it is told, that its text is safe, and that nobody has to wait for long.
func mustBeTold(t *testing.T, about string, e *statuspb.Status, want []told) {
	t.Helper()
	if e == nil {
		if !slices.Contains(want, told{}) {
			t.Errorf("%s: no error, want %v", about, want)
		}
		return
	}
	info, retry, _ := detailsOf(t, e)
	if got := (told{codes.Code(e.GetCode()), info.GetReason()}); !slices.Contains(want, got) {
		t.Errorf("%s: %v, want one of %v: %v", about, got, want, e)
	}
	if (info.GetReason() == "THROTTLED") != (retry > 0) || retry > time.Minute {
		t.Errorf("%s: to wait for %s: %v", about, retry, e)
	}
	dangerous := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
	if m := e.GetMessage(); m == "" || len(m) > 1024 || strings.ContainsFunc(m, dangerous) {
		t.Errorf("%s: the message is %q", about, m)
	}
}
