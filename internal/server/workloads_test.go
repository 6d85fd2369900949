package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// hibernated is what one call told.
type hibernated struct {
	clusters map[string]*fleetv1.HibernationResult // the results of each put together
	messages int
	summary  *fleetv1.Summary
}

// hibernation makes the call and checks the shape of its stream.
func hibernation(ctx context.Context, t *testing.T, conn *grpc.ClientConn, r *fleetv1.SummarizeHibernationRequest) hibernated {
	t.Helper()
	stream, err := fleetv1.NewWorkloadServiceClient(conn).SummarizeHibernation(ctx, r)
	messages, err := receive(t, stream, err)
	if err != nil {
		t.Fatalf("the stream ended with %v", err)
	}
	h := hibernated{clusters: make(map[string]*fleetv1.HibernationResult), messages: len(messages)}
	expected := 0
	for i, m := range messages {
		if size := proto.Size(m); size > 256<<10 {
			t.Errorf("a message has %d bytes", size)
		}
		switch event := m.GetEvent().(type) {
		case *fleetv1.SummarizeHibernationResponse_Started:
			mustBe(t, i, 0)
			expected = int(event.Started.GetExpected())
		case *fleetv1.SummarizeHibernationResponse_Result:
			name := event.Result.GetCluster()
			if h.clusters[name].GetCompletion() != nil {
				t.Errorf("%s: a result after its completion", name)
			}
			if h.clusters[name] == nil {
				h.clusters[name] = &fleetv1.HibernationResult{}
			}
			proto.Merge(h.clusters[name], event.Result)
		case *fleetv1.SummarizeHibernationResponse_Summary:
			mustBe(t, i, len(messages)-1)
			h.summary = event.Summary
		}
	}
	for name, c := range h.clusters {
		if c.GetCompletion() == nil {
			t.Errorf("%s: no completion", name)
		}
	}
	if len(h.clusters) != expected {
		t.Errorf("%d clusters, %d expected", len(h.clusters), expected)
	}
	mustAddUp(t, h.summary, expected)
	return h
}

func TestHibernationStreamTellsOfEveryCluster(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 3})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.Forbidden, Paths: []string{"/apis/apps/v1/statefulsets"}})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Unauthorized})
	definitions := append(fleettest.Definitions(t, sim), cluster.Definition{Name: "virtual", Virtual: true})
	conn := serve(t, fleettest.Of(t, definitions, fleet.Options{}), server.Options{})

	h := hibernation(t.Context(), t, conn, &fleetv1.SummarizeHibernationRequest{})
	for name, want := range map[string]*fleetv1.HibernationGroup{
		names[0]: {State: fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED, Eligible: 11, Hibernated: 1, Unknown: 1, Replicas: 30, HibernatedReplicas: 3},
		names[1]: {State: fleetv1.HibernationGroup_STATE_UNKNOWN, Unknown: 4},
		names[2]: {State: fleetv1.HibernationGroup_STATE_PARTIALLY_HIBERNATED, Eligible: 21, Hibernated: 2, Replicas: 57, HibernatedReplicas: 6},
	} {
		if diff := cmp.Diff([]*fleetv1.HibernationGroup{want}, h.clusters[name].GetGroups(), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	unreadable := h.clusters[names[0]].GetUnreadable()
	if len(unreadable) != 1 || unreadable[0].GetResource() != "statefulsets.apps" || unreadable[0].GetReason() != "FORBIDDEN" || !strings.Contains(unreadable[0].GetMessage(), "forbidden") {
		t.Errorf("unreadable: %v", unreadable)
	}
	if c := h.clusters[names[0]].GetCompletion(); c.GetError() != nil || c.GetItems() != 11 || c.GetBytes() == 0 || c.GetPages() != 2 {
		t.Errorf("one type could not be read: %v", c)
	}
	failed := h.clusters[names[1]].GetCompletion().GetError()
	if info, _, _ := detailsOf(t, failed); info.GetReason() != "UNAUTHENTICATED" || status.FromProto(failed).Code() != codes.FailedPrecondition {
		t.Errorf("the cluster that failed: %v", failed)
	}
	if v := h.clusters["virtual"]; !v.GetCompletion().GetSkipped() || len(v.GetGroups()) != 0 {
		t.Errorf("the virtual one: %v", v)
	}
	if s := h.summary; s.GetSucceeded() != 2 || s.GetFailed() != 1 || s.GetSkipped() != 1 || s.GetItems() != 32 || s.GetBytes() == 0 {
		t.Errorf("summary: %v", s)
	}
}

func TestHibernationGroupsAreThoseAskedFor(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: map[string]int{"deployments": 70}})
	conn := serve(t, f, server.Options{})
	r := &fleetv1.SummarizeHibernationRequest{LabelSelector: "tier=frontend", Namespace: "shop"}
	cluster := hibernation(t.Context(), t, conn, r).clusters[sim.Names()[0]].GetGroups()
	if len(cluster) != 1 || cluster[0].GetEligible() == 0 || cluster[0].GetNamespace() != "" || cluster[0].GetHibernated() != 1 {
		t.Errorf("by default: %v", cluster)
	}
	r.Grouping = fleetv1.SummarizeHibernationRequest_GROUPING_NAMESPACE
	namespaces := hibernation(t.Context(), t, conn, r).clusters[sim.Names()[0]].GetGroups()
	if len(namespaces) != 1 || namespaces[0].GetNamespace() != "shop" || namespaces[0].GetEligible() != cluster[0].GetEligible() {
		t.Errorf("by namespace: %v", namespaces)
	}
	r.Grouping = fleetv1.SummarizeHibernationRequest_GROUPING_WORKLOAD
	seen := hibernation(t.Context(), t, conn, r)
	workloads, asleep := seen.clusters[sim.Names()[0]].GetGroups(), 0
	for _, w := range workloads {
		if w.GetNamespace() != "shop" || w.GetKind() == "" || w.GetName() == "" || w.GetEligible() != 1 {
			t.Errorf("a workload: %v", w)
		}
		if w.GetState() == fleetv1.HibernationGroup_STATE_HIBERNATED {
			asleep++
		}
	}
	if len(workloads) != int(cluster[0].GetEligible()) || asleep != 1 || seen.messages < 4 {
		t.Errorf("by workload: %d, %d asleep, in %d messages", len(workloads), asleep, seen.messages)
	}
	r.Annotation = "example.com/was"
	r.Grouping = fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER
	if other := hibernation(t.Context(), t, conn, r).clusters[sim.Names()[0]].GetGroups(); other[0].GetHibernated() != 0 {
		t.Errorf("by another annotation: %v", other)
	}
}

func TestHibernationRequestsThatMakeNoSenseAreRefused(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	conn := serve(t, f, server.Options{})
	for _, c := range []struct {
		field string
		spoil func(*fleetv1.SummarizeHibernationRequest)
	}{
		{"namespace", func(r *fleetv1.SummarizeHibernationRequest) { r.Namespace = "../secrets" }},
		{"label_selector", func(r *fleetv1.SummarizeHibernationRequest) { r.LabelSelector = "a in (b" }},
		{"annotation", func(r *fleetv1.SummarizeHibernationRequest) { r.Annotation = "a b" }},
		{"annotation", func(r *fleetv1.SummarizeHibernationRequest) { r.Annotation = strings.Repeat("a", 318) }},
		{"grouping", func(r *fleetv1.SummarizeHibernationRequest) { r.Grouping = 99 }},
		{"max_concurrency", func(r *fleetv1.SummarizeHibernationRequest) { r.MaxConcurrency = -1 }},
		{"selector.label_selector", func(r *fleetv1.SummarizeHibernationRequest) {
			r.Selector = &fleetv1.ClusterSelector{LabelSelector: "a in (b"}
		}},
	} {
		r := &fleetv1.SummarizeHibernationRequest{}
		c.spoil(r)
		stream, err := fleetv1.NewWorkloadServiceClient(conn).SummarizeHibernation(t.Context(), r)
		messages, err := receive(t, stream, err)
		mustBeInvalid(t, fmt.Sprint(r), c.field, len(messages), err)
	}
	if n := sim.Stats().AcceptedConnections; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestTheDeadlineOfACensusDeliversWhatIsKnown(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Hang, Paths: []string{"/apis/apps/v1/replicasets"}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	h := hibernation(ctx, t, serve(t, f, server.Options{}), &fleetv1.SummarizeHibernationRequest{})
	hung := h.clusters[names[1]]
	if g := hung.GetGroups(); len(g) != 1 || g[0].GetEligible() != 13 || g[0].GetUnknown() != 2 || status.FromProto(hung.GetCompletion().GetError()).Code() != codes.DeadlineExceeded {
		t.Errorf("the one that hangs: %v", hung)
	}
	if s := h.summary; !s.GetDeadlineExceeded() || s.GetSucceeded() != 2 || s.GetFailed() != 1 {
		t.Errorf("summary: %v", s)
	}
}

func TestACallerWhoLeavesEndsTheReadingOfWorkloads(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 20})
	for _, name := range sim.Names() {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	stream, err := fleetv1.NewWorkloadServiceClient(serve(t, f, server.Options{})).SummarizeHibernation(ctx, &fleetv1.SummarizeHibernationRequest{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "all are being asked", func() bool { return sim.Stats().InFlight == 20 })
	leave()
	await(t, "the servers see that the caller left", func() bool { return sim.Stats().InFlight == 0 })
	if _, err := receive(t, stream, nil); status.Code(err) != codes.Canceled {
		t.Errorf("the stream ended with %v", err)
	}
}
