package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// historian answers by a function.
type historian func(context.Context, health.HistoryQuery) ([]health.Transition, error)

// Transitions calls it.
func (h historian) Transitions(ctx context.Context, q health.HistoryQuery) ([]health.Transition, error) {
	return h(ctx, q)
}

// sick returns three clusters of the region eu that do not answer among ten of us that do, and a virtual one.
func sick() ([]*health.Record, []cluster.Definition) {
	var records []*health.Record
	add := func(name, region string, v *cluster.Verdict) *health.Record {
		labels := map[string]string{"region": region}
		r := &health.Record{
			Subject: &health.Subject{Name: name, Labels: labels, Traits: health.TraitsOf("", nil, labels)},
			State:   v.State, Verdict: v, Since: time.Unix(1_800_000_000, 0),
		}
		records = append(records, r)
		return r
	}
	for i := range 3 {
		add(fmt.Sprintf("eu%d", i), "eu", &cluster.Verdict{State: cluster.Unreachable, Reason: cluster.ConnectTimeout})
	}
	for i := range 10 {
		add(fmt.Sprintf("us%d", i), "us", &cluster.Verdict{State: cluster.Healthy, ServerVersion: "v1.36.3"}).Latency = health.Quantiles{
			P50: time.Duration(i) * time.Millisecond, P90: time.Second, P99: time.Duration(1+i) * time.Second, N: 7,
		}
	}
	records[3].Expiries = []cluster.Expiry{{Kind: cluster.TokenExpiry, At: time.Unix(1_700_000_000, 0)}}
	records[4].Expiries = []cluster.Expiry{{Kind: cluster.ServingCertificate, At: time.Now().Add(40 * 24 * time.Hour)}}
	add("zero", "us", &cluster.Verdict{}).Subject.Virtual = true
	var definitions []cluster.Definition
	for _, r := range records {
		definitions = append(definitions, cluster.Definition{Name: r.Subject.Name, Labels: r.Subject.Labels, Virtual: true})
	}
	return records, definitions
}

// overviewOf serves the overview of the sick fleet.
func overviewOf(t *testing.T, h historian) fleetv1.FleetServiceClient {
	t.Helper()
	records, definitions := sick()
	f := fleettest.Of(t, definitions, fleet.Options{})
	return fleetv1.NewFleetServiceClient(serve(t, f, server.Options{Monitor: newMonitor(records...), History: h}))
}

func uneventful(context.Context, health.HistoryQuery) ([]health.Transition, error) { return nil, nil }

func TestAnOverviewTellsWhatIsWrongWithTheFleet(t *testing.T) {
	var asked health.HistoryQuery
	client := overviewOf(t, func(_ context.Context, q health.HistoryQuery) ([]health.Transition, error) {
		asked = q
		return []health.Transition{{
			Sequence: 7, Cluster: "eu0", At: time.Unix(1_800_000_000, 0), From: cluster.Healthy, To: cluster.Unreachable,
			Reason: cluster.ConnectTimeout, Blame: cluster.BlameNetwork, Message: "nothing answered", Lasted: time.Hour, Flapping: true,
		}}, nil
	})
	got, err := client.GetFleetOverview(t.Context(), &fleetv1.GetFleetOverviewRequest{GroupBy: "region", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	type (
		response = fleetv1.GetFleetOverviewResponse
		states   = fleetv1.GetFleetOverviewResponse_States
		slow     = fleetv1.GetFleetOverviewResponse_Slow
	)
	latency := func(i time.Duration) *fleetv1.Latency {
		return &fleetv1.Latency{
			P50: durationpb.New(i * time.Millisecond), P90: durationpb.New(time.Second), P99: durationpb.New((1 + i) * time.Second), Probes: 7,
		}
	}
	want := &response{
		States:   &states{Total: 14, Healthy: 10, Unreachable: 3, Virtual: 1},
		Groups:   []*states{{Value: "us", Total: 11, Healthy: 10, Virtual: 1}, {Value: "eu", Total: 3, Unreachable: 3}},
		Reasons:  []*fleetv1.GetFleetOverviewResponse_Reason{{Reason: fleetv1.Verdict_REASON_CONNECT_TIMEOUT, Count: 3, Clusters: []string{"eu0", "eu1"}}},
		Versions: []*fleetv1.GetFleetOverviewResponse_Version{{Version: "v1.36.3", Count: 10}, {Count: 3}},
		Expiring: []*fleetv1.GetFleetOverviewResponse_Expiring{{Cluster: "us0", Kind: fleetv1.Expiry_KIND_TOKEN, ExpiresAt: &timestamppb.Timestamp{Seconds: 1_700_000_000}}},
		Incidents: []*fleetv1.Incident{{
			Cause: fleetv1.Incident_CAUSE_REGION, Value: "eu", Reason: fleetv1.Verdict_REASON_CONNECT_TIMEOUT,
			Since: &timestamppb.Timestamp{Seconds: 1_800_000_000}, Clusters: []string{"eu0", "eu1", "eu2"}, Members: 3, Exposed: 3,
			Message: "3 of 3 clusters in region eu are unreachable: CONNECT_TIMEOUT",
		}},
		Slowest: []*slow{{Cluster: "us9", Latency: latency(9)}, {Cluster: "us8", Latency: latency(8)}},
		Transitions: []*fleetv1.Transition{{
			Sequence: 7, Cluster: "eu0", OccurredAt: &timestamppb.Timestamp{Seconds: 1_800_000_000},
			From: fleetv1.Verdict_STATE_HEALTHY, To: fleetv1.Verdict_STATE_UNREACHABLE, Reason: fleetv1.Verdict_REASON_CONNECT_TIMEOUT,
			Blame: fleetv1.Verdict_BLAME_NETWORK, Message: "nothing answered", Lasted: durationpb.New(time.Hour), Flapping: true,
		}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&fleetv1.Incident{}, "id")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.GetIncidents()[0].GetId() == "" {
		t.Error("the incident has no id")
	}
	if diff := cmp.Diff(health.HistoryQuery{Limit: 2}, asked); diff != "" {
		t.Errorf("asked of the history: %s", diff)
	}
}

func TestAnOverviewIsOfTheSelected(t *testing.T) {
	client := overviewOf(t, uneventful)
	for name, c := range map[string]struct {
		selector *fleetv1.ClusterSelector
		total    int32
	}{
		"all":        {nil, 14},
		"names":      {&fleetv1.ClusterSelector{Names: []string{"eu0", "us1"}}, 2},
		"labels":     {&fleetv1.ClusterSelector{LabelSelector: "region=eu"}, 3},
		"states":     {&fleetv1.ClusterSelector{States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY}}, 10},
		"everything": {&fleetv1.ClusterSelector{Names: []string{"eu0", "us1", "us2"}, LabelSelector: "region=us", States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY}}, 2},
		"nobody":     {&fleetv1.ClusterSelector{LabelSelector: "region=nowhere"}, 0},
	} {
		got, err := client.GetFleetOverview(t.Context(), &fleetv1.GetFleetOverviewRequest{Selector: c.selector})
		if err != nil || got.GetStates().GetTotal() != c.total || len(got.GetFailures()) > 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	got, err := client.GetFleetOverview(t.Context(), &fleetv1.GetFleetOverviewRequest{ExpiringWithin: durationpb.New(50 * 24 * time.Hour)})
	if err != nil || len(got.GetExpiring()) != 2 || len(got.GetSlowest()) != 10 || len(got.GetGroups()) != 0 {
		t.Errorf("with a longer time: %v, %v", got, err)
	}
}

func TestBadRequestsForAnOverviewAreExplained(t *testing.T) {
	client := overviewOf(t, uneventful)
	for field, r := range map[string]*fleetv1.GetFleetOverviewRequest{
		"selector.label_selector": {Selector: &fleetv1.ClusterSelector{LabelSelector: "a in ("}},
		"limit":                   {Limit: 101},
		"expiring_within":         {ExpiringWithin: durationpb.New(-time.Second)},
		"group_by":                {GroupBy: strings.Repeat("x", 318)},
	} {
		_, err := client.GetFleetOverview(t.Context(), r)
		mustBeInvalid(t, field, field, 0, err)
	}
	_, err := client.GetFleetOverview(t.Context(), &fleetv1.GetFleetOverviewRequest{Selector: &fleetv1.ClusterSelector{Names: []string{"nobody"}}})
	if status.Code(err) != codes.NotFound {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestWithoutAMonitorThereIsNoOverview(t *testing.T) {
	client := fleetv1.NewFleetServiceClient(serve(t, fleettest.Of(t, virtual("a"), fleet.Options{}), server.Options{}))
	_, err := client.GetFleetOverview(t.Context(), &fleetv1.GetFleetOverviewRequest{})
	s := status.Convert(err)
	if info, _, _ := detailsOf(t, s.Proto()); s.Code() != codes.FailedPrecondition || info.GetReason() != "NOT_MONITORED" {
		t.Errorf("got %v", err)
	}
}

func TestAMissingSectionIsNamedAndTheOthersStand(t *testing.T) {
	const secret = "/var/lib/secret.db is gone"
	for name, c := range map[string]struct {
		history historian
		within  time.Duration
		code    codes.Code
		reason  string
	}{
		"fails": {func(context.Context, health.HistoryQuery) ([]health.Transition, error) {
			return nil, errors.New(secret)
		}, time.Minute, codes.Internal, "INTERNAL"},
		"panics": {func(context.Context, health.HistoryQuery) ([]health.Transition, error) { panic(secret) }, time.Minute, codes.Internal, "INTERNAL"},
		"takes longer than the caller has": {func(ctx context.Context, _ health.HistoryQuery) ([]health.Transition, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, 5 * time.Second, codes.DeadlineExceeded, "SECTION_TIMEOUT"},
	} {
		t.Run(name, func(t *testing.T) {
			client := overviewOf(t, c.history)
			ctx, cancel := context.WithTimeout(t.Context(), c.within)
			defer cancel()
			got, err := client.GetFleetOverview(ctx, &fleetv1.GetFleetOverviewRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if got.GetStates().GetTotal() != 14 || len(got.GetIncidents()) != 1 || len(got.GetFailures()) != 1 {
				t.Errorf("got %v", got)
			}
			failure := got.GetFailures()[0]
			info, _, _ := detailsOf(t, failure.GetError())
			if failure.GetSection() != fleetv1.GetFleetOverviewResponse_SECTION_TRANSITIONS || codes.Code(failure.GetError().GetCode()) != c.code || info.GetReason() != c.reason {
				t.Errorf("got %v", failure)
			}
			if strings.Contains(failure.String(), secret) {
				t.Errorf("the caller sees %v", failure)
			}
		})
	}
}

func TestWithoutAHistoryTheOtherSectionsStand(t *testing.T) {
	records, definitions := sick()
	f := fleettest.Of(t, definitions, fleet.Options{})
	client := fleetv1.NewFleetServiceClient(serve(t, f, server.Options{Monitor: newMonitor(records...)}))
	got, err := client.GetFleetOverview(t.Context(), &fleetv1.GetFleetOverviewRequest{})
	if err != nil || got.GetStates().GetTotal() != 14 || len(got.GetFailures()) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if info, _, _ := detailsOf(t, got.GetFailures()[0].GetError()); info.GetReason() != "NO_HISTORY" {
		t.Errorf("got %v", info)
	}
}
