package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// healthClient serves the records' clusters and returns a client.
func healthClient(t testing.TB, m *monitor, options server.Options) fleetv1.HealthServiceClient {
	t.Helper()
	options.Monitor = m
	var definitions []cluster.Definition
	for _, r := range m.Records() {
		definitions = append(definitions, cluster.Definition{Name: r.Subject.Name, Labels: r.Subject.Labels, Virtual: true})
	}
	return fleetv1.NewHealthServiceClient(serve(t, fleettest.Of(t, definitions, fleet.Options{}), options))
}

// listed returns the names on all pages.
func listed(t *testing.T, client fleetv1.HealthServiceClient, r *fleetv1.ListClusterHealthRequest) string {
	t.Helper()
	var names []string
	for {
		page, err := client.ListClusterHealth(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.GetClusters() {
			names = append(names, c.GetCluster())
		}
		if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
			if int(page.GetTotalSize()) != len(names) {
				t.Errorf("the total is %d instead of %d", page.GetTotalSize(), len(names))
			}
			return strings.Join(names, " ")
		}
	}
}

func TestHealthIsListedInTheOrderAskedFor(t *testing.T) {
	a, b, c, d, e := record("a", cluster.Healthy), record("b", cluster.Unreachable), record("c", cluster.Unknown),
		record("d", cluster.Unauthorized), record("e", cluster.Degraded)
	b.Since, d.Since = time.Unix(1000, 0), time.Unix(2000, 0)
	a.Latency, e.Latency = health.Quantiles{N: 1, P99: time.Second}, health.Quantiles{N: 1, P99: time.Minute}
	client := healthClient(t, newMonitor(a, b, c, d, e), server.Options{})
	for order, want := range map[fleetv1.ListClusterHealthRequest_Order]string{
		fleetv1.ListClusterHealthRequest_ORDER_UNSPECIFIED: "a b c d e",
		fleetv1.ListClusterHealthRequest_ORDER_NAME:        "a b c d e",
		fleetv1.ListClusterHealthRequest_ORDER_STATE:       "b d e c a",
		fleetv1.ListClusterHealthRequest_ORDER_SINCE:       "d b a c e",
		fleetv1.ListClusterHealthRequest_ORDER_LATENCY:     "e a b c d",
	} {
		for size := range int32(6) {
			if got := listed(t, client, &fleetv1.ListClusterHealthRequest{OrderBy: order, PageSize: size}); got != want {
				t.Errorf("%v in pages of %d: %s", order, size, got)
			}
		}
	}
}

func TestHealthIsSelectedByNameExactLabelAndState(t *testing.T) {
	client := healthClient(t, newMonitor(
		record("a", cluster.Healthy, "env", "prod"),
		record("b", cluster.Healthy, "env", "prod-eu"),
		record("c", cluster.Unreachable, "env", "prod", "canary", ""),
		record("d", cluster.Unknown),
	), server.Options{})
	unhealthy := []fleetv1.Verdict_State{fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_STATE_UNKNOWN}
	for want, s := range map[string]*fleetv1.ClusterSelector{
		"a b c d": nil,
		"a d":     {Names: []string{"d", "a", "d"}},
		"a c":     {LabelSelector: "env=prod"},
		"a":       {LabelSelector: "env=prod,!canary"},
		"a b":     {LabelSelector: "env in (prod, prod-eu),canary notin ()", Names: []string{"a", "b"}},
		"c d":     {States: unhealthy},
		"c":       {States: unhealthy, LabelSelector: "env"},
		"":        {LabelSelector: "env=pro"},
	} {
		if got := listed(t, client, &fleetv1.ListClusterHealthRequest{Selector: s}); got != want {
			t.Errorf("%v: %q instead of %q", s, got, want)
		}
	}
}

func TestAHealthPageFitsIntoAMessage(t *testing.T) {
	var records []*health.Record
	for i := range 400 {
		r := record(fmt.Sprintf("c%04d", i), cluster.Healthy)
		for k := range 200 {
			r.Subject.Labels[fmt.Sprintf("key-%d", k)] = strings.Repeat("v", 63)
		}
		records = append(records, r)
	}
	client := healthClient(t, newMonitor(records...), server.Options{})
	if got := strings.Fields(listed(t, client, &fleetv1.ListClusterHealthRequest{PageSize: 1000})); len(got) != 400 || !slices.IsSorted(got) {
		t.Errorf("%d clusters came", len(got))
	}
}

func TestPagesOfHealthNeitherSkipNorRepeatWhileTheFleetChanges(t *testing.T) {
	m := newMonitor(record("b", cluster.Healthy), record("c", cluster.Healthy), record("d", cluster.Healthy))
	client := healthClient(t, m, server.Options{})
	page, err := client.ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	m.publish(record("a", cluster.Healthy))
	m.remove("c")
	page, err = client.ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{PageSize: 2, PageToken: page.GetNextPageToken()})
	if err != nil || len(page.GetClusters()) != 1 || page.GetClusters()[0].GetCluster() != "d" || page.GetNextPageToken() != "" {
		t.Errorf("got %v, %v", page, err)
	}
}

func TestWhatIsKnownOfHealthIsTold(t *testing.T) {
	full, empty := failing("full"), record("empty", cluster.Unknown)
	full.State, full.Suspect, full.Flapping, full.Restored, full.Incident = cluster.Unknown, true, true, true, "incident-1"
	full.Subject.Maintenance = true
	empty.Subject.Virtual = true
	page, err := healthClient(t, newMonitor(full, empty), server.Options{}).ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{})
	if err != nil {
		t.Fatal(err)
	}
	e, f := page.GetClusters()[0], page.GetClusters()[1]
	if e.GetObservation() != nil || e.GetSince() != nil || e.GetLatency() != nil || e.GetAvailability().Hour != nil || !e.GetVirtual() || e.GetKnownState() != fleetv1.Verdict_STATE_UNKNOWN {
		t.Errorf("of one of which nothing is known: %v", e)
	}
	if f.GetState() != fleetv1.Verdict_STATE_UNKNOWN || f.GetKnownState() != fleetv1.Verdict_STATE_UNREACHABLE || !f.GetSince().AsTime().Equal(full.Since) {
		t.Errorf("the state is %v", f)
	}
	if !f.GetObserverSuspect() || !f.GetFlapping() || !f.GetRestored() || !f.GetMaintenance() || f.GetVirtual() || f.GetIncident() != "incident-1" || f.GetLabels()["env"] != "prod" {
		t.Errorf("the marks are %v", f)
	}
	o := f.GetObservation()
	if o.GetSource() != fleetv1.Observation_SOURCE_MONITOR || o.GetVerdict().GetReason() != fleetv1.Verdict_REASON_CONNECT_TIMEOUT || len(o.GetVerdict().GetChecks()) != 3 || o.GetAge() == nil || !o.GetLastSuccess().AsTime().Equal(full.LastSuccess) {
		t.Errorf("the observation is %v", o)
	}
	if f.GetLatency().GetProbes() != 100 || f.GetLatency().GetP50().AsDuration() != time.Millisecond || f.GetLatency().GetP90().AsDuration() != 2*time.Millisecond || f.GetLatency().GetP99().AsDuration() != 3*time.Millisecond {
		t.Errorf("the latency is %v", f.GetLatency())
	}
	if a := f.GetAvailability(); a.GetHour() != 0.5 || a.GetDay() != 0.9 || a.GetMonth() != 1 || len(f.GetExpiries()) != 2 {
		t.Errorf("availability and expiries are %v", f)
	}
}

func TestBadRequestsForHealthAreRefused(t *testing.T) {
	m := newMonitor(record("a", cluster.Healthy), record("b", cluster.Healthy))
	client := healthClient(t, m, server.Options{History: &history{}})
	list := func(r *fleetv1.ListClusterHealthRequest) error {
		_, err := client.ListClusterHealth(t.Context(), r)
		return err
	}
	watch := func(r *fleetv1.WatchClusterHealthRequest) error {
		stream, err := client.WatchClusterHealth(t.Context(), r)
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
	transitions := func(r *fleetv1.ListTransitionsRequest) error {
		_, err := client.ListTransitions(t.Context(), r)
		return err
	}
	first, err := client.ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	const byState = fleetv1.ListClusterHealthRequest_ORDER_STATE
	bad := &fleetv1.ClusterSelector{LabelSelector: "env in"}
	mustBeInvalid(t, "a token", "page_token", 0, list(&fleetv1.ListClusterHealthRequest{PageToken: "%%%"}))
	mustBeInvalid(t, "a token of another order", "page_token", 0, list(&fleetv1.ListClusterHealthRequest{PageToken: first.GetNextPageToken(), OrderBy: byState}))
	mustBeInvalid(t, "a token without a number", "page_token", 0, list(&fleetv1.ListClusterHealthRequest{PageToken: "Mjp4", OrderBy: byState})) // 2:x
	mustBeInvalid(t, "a negative token", "page_token", 0, list(&fleetv1.ListClusterHealthRequest{PageToken: "MjotMQ", OrderBy: byState}))       // 2:-1
	mustBeInvalid(t, "labels", "selector.label_selector", 0, list(&fleetv1.ListClusterHealthRequest{Selector: bad}))
	mustBeInvalid(t, "labels", "selector.label_selector", 0, watch(&fleetv1.WatchClusterHealthRequest{Selector: bad}))
	mustBeInvalid(t, "a resume token", "resume_token", 0, watch(&fleetv1.WatchClusterHealthRequest{ResumeToken: "x"}))
	mustBeInvalid(t, "labels", "selector.label_selector", 0, transitions(&fleetv1.ListTransitionsRequest{Selector: bad}))
	mustBeInvalid(t, "a token", "page_token", 0, transitions(&fleetv1.ListTransitionsRequest{PageToken: "%%%"}))
	mustBeInvalid(t, "a token without a number", "page_token", 0, transitions(&fleetv1.ListTransitionsRequest{PageToken: "eA"}))
	unknown := &fleetv1.ClusterSelector{Names: []string{"a", "x"}}
	for what, err := range map[string]error{
		"list":  list(&fleetv1.ListClusterHealthRequest{Selector: unknown}),
		"watch": watch(&fleetv1.WatchClusterHealthRequest{Selector: unknown}),
	} {
		if status.Code(err) != codes.NotFound {
			t.Errorf("%s: an unknown name: %v", what, err)
		}
	}
}

func TestWithoutAMonitorNothingIsTold(t *testing.T) {
	client := fleetv1.NewHealthServiceClient(serve(t, fleettest.Of(t, nil, fleet.Options{}), server.Options{}))
	_, listing := client.ListClusterHealth(t.Context(), &fleetv1.ListClusterHealthRequest{})
	_, history := client.ListTransitions(t.Context(), &fleetv1.ListTransitionsRequest{})
	stream, watching := client.WatchClusterHealth(t.Context(), &fleetv1.WatchClusterHealthRequest{})
	if watching == nil {
		_, watching = stream.Recv()
	}
	for reason, errs := range map[string][]error{"NOT_MONITORED": {listing, watching}, "NO_HISTORY": {history}} {
		for _, err := range errs {
			s := status.Convert(err)
			if info, _, _ := detailsOf(t, s.Proto()); s.Code() != codes.FailedPrecondition || info.GetReason() != reason {
				t.Errorf("%s: %v", reason, err)
			}
		}
	}
}

// history is a history of what the test says, the latest first.
type history struct {
	all []health.Transition
	err error
}

func (h *history) Transitions(_ context.Context, q health.HistoryQuery) ([]health.Transition, error) {
	var found []health.Transition
	for _, t := range h.all {
		_, named := q.Clusters[t.Cluster]
		switch {
		case q.Clusters != nil && !named, len(q.To) > 0 && !slices.Contains(q.To, t.To), t.At.Before(q.Since), q.Before > 0 && t.Sequence >= q.Before:
		case len(found) < q.Limit:
			found = append(found, t)
		}
	}
	return found, h.err
}

func TestTransitionsAreListedTheLatestFirst(t *testing.T) {
	h := &history{}
	for i, name := range strings.Fields("gone a b a b a") {
		t := health.Transition{Sequence: uint64(i + 1), Cluster: name, At: time.Unix(int64(1000+i), 0), From: cluster.Unknown, To: cluster.Healthy}
		if name == "b" {
			t.To, t.Reason, t.Blame, t.Message, t.Lasted, t.Flapping = cluster.Unreachable, cluster.ConnectTimeout, cluster.BlameNetwork, "no answer", time.Minute, true
		}
		h.all = slices.Insert(h.all, 0, t)
	}
	client := healthClient(t, newMonitor(record("a", cluster.Healthy, "env", "prod"), record("b", cluster.Healthy)), server.Options{History: h})
	down := []fleetv1.Verdict_State{fleetv1.Verdict_STATE_UNREACHABLE}
	for _, test := range []struct {
		request *fleetv1.ListTransitionsRequest
		want    string
	}{
		{&fleetv1.ListTransitionsRequest{}, "6 5 4 3 2 1"},
		{&fleetv1.ListTransitionsRequest{Selector: &fleetv1.ClusterSelector{Names: []string{"gone", "never"}}}, "1"},
		{&fleetv1.ListTransitionsRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=prod"}}, "6 4 2"},
		{&fleetv1.ListTransitionsRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "!env", Names: []string{"b", "gone"}}}, "5 3"},
		{&fleetv1.ListTransitionsRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=none"}}, ""},
		{&fleetv1.ListTransitionsRequest{Selector: &fleetv1.ClusterSelector{States: down}}, "5 3"},
		{&fleetv1.ListTransitionsRequest{Since: timestamppb.New(time.Unix(1003, 0))}, "6 5 4"},
	} {
		for size := range int32(8) {
			test.request.PageSize, test.request.PageToken = size, ""
			var got []string
			for {
				page, err := client.ListTransitions(t.Context(), test.request)
				if err != nil {
					t.Fatal(err)
				}
				for _, transition := range page.GetTransitions() {
					got = append(got, fmt.Sprint(transition.GetSequence()))
				}
				if test.request.PageToken = page.GetNextPageToken(); test.request.GetPageToken() == "" {
					break
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%v in pages of %d: %s", test.request, size, diff)
			}
		}
	}
	page, err := client.ListTransitions(t.Context(), &fleetv1.ListTransitionsRequest{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	got := page.GetTransitions()[1]
	if got.GetCluster() != "b" || !got.GetOccurredAt().AsTime().Equal(time.Unix(1004, 0)) || got.GetFrom() != fleetv1.Verdict_STATE_UNKNOWN || got.GetTo() != fleetv1.Verdict_STATE_UNREACHABLE ||
		got.GetReason() != fleetv1.Verdict_REASON_CONNECT_TIMEOUT || got.GetBlame() != fleetv1.Verdict_BLAME_NETWORK || got.GetMessage() != "no answer" || got.GetLasted().AsDuration() != time.Minute || !got.GetFlapping() {
		t.Errorf("got %v", got)
	}
	h.err = errors.New("the store is gone")
	if _, err := client.ListTransitions(t.Context(), &fleetv1.ListTransitionsRequest{}); status.Code(err) != codes.Internal {
		t.Errorf("got %v", err)
	}
}
