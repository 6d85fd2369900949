package overview_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/overview"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// history answers by a function.
type history func(context.Context, health.HistoryQuery) ([]health.Transition, error)

// Transitions calls it.
func (h history) Transitions(ctx context.Context, q health.HistoryQuery) ([]health.Transition, error) {
	return h(ctx, q)
}

// quiet is a history in which nothing has happened.
func quiet(context.Context, health.HistoryQuery) ([]health.Transition, error) { return nil, nil }

// record returns a cluster that is healthy unless there is a reason.
func record(name string, reason cluster.Reason, edit ...func(*health.Record)) *health.Record {
	r := &health.Record{
		Subject: &health.Subject{Name: name},
		State:   cluster.Healthy,
		Verdict: &cluster.Verdict{State: cluster.Healthy, ServerVersion: "v1.36.3"},
	}
	if reason != "" {
		r.State = reason.State()
		r.Verdict = &cluster.Verdict{State: r.State, Reason: reason, ServerVersion: "v1.35.0"}
	}
	for _, e := range edit {
		e(r)
	}
	return r
}

func env(value string) func(*health.Record) {
	return func(r *health.Record) { r.Subject.Labels = map[string]string{"env": value} }
}

func in(region string) func(*health.Record) {
	return func(r *health.Record) { r.Subject.Traits.Region = region }
}

func virtual(r *health.Record) { r.Subject.Virtual, r.State, r.Verdict = true, cluster.Unknown, nil }

func unprobed(r *health.Record) { r.State, r.Verdict = cluster.Unknown, nil }

// of makes an overview of which no section fails, about all clusters unless edited.
func of(t *testing.T, fleet []*health.Record, edit ...func(*overview.Request)) *overview.Overview {
	t.Helper()
	r := overview.Request{Fleet: fleet, Limit: 10, ExpiringWithin: 24 * time.Hour}
	for _, e := range edit {
		e(&r)
	}
	o := overview.New(history(quiet), nil).Make(t.Context(), r)
	if len(o.Failures) > 0 {
		t.Fatal(o.Failures)
	}
	return o
}

func limit(n int) func(*overview.Request) { return func(r *overview.Request) { r.Limit = n } }

func only(names ...string) func(*overview.Request) {
	return func(r *overview.Request) {
		r.Selected = func(r *health.Record) bool { return slices.Contains(names, r.Subject.Name) }
	}
}

func TestClustersAreCountedByStateAndByLabel(t *testing.T) {
	t.Parallel()
	fleet := []*health.Record{
		record("a", "", env("prod")),
		record("b", cluster.NotReady, env("prod"), func(r *health.Record) { r.Subject.Maintenance = true }),
		record("c", cluster.ConnectTimeout, env("prod"), func(r *health.Record) { r.Flapping = true }),
		record("d", cluster.Unauthenticated, env("dev")),
		record("e", "", env("dev"), unprobed),
		record("f", "", virtual),
	}
	o := of(t, fleet, func(r *overview.Request) { r.GroupBy = "env" })
	want := &overview.States{Total: 6, Virtual: 1, Maintenance: 1, Flapping: 1, Healthy: 1, Degraded: 1, Unreachable: 1, Unauthorized: 1, Unknown: 1}
	if diff := cmp.Diff(want, o.States); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	groups := []overview.States{
		{Value: "prod", Total: 3, Maintenance: 1, Flapping: 1, Healthy: 1, Degraded: 1, Unreachable: 1},
		{Value: "dev", Total: 2, Unauthorized: 1, Unknown: 1},
		{Value: "", Total: 1, Virtual: 1},
	}
	if diff := cmp.Diff(groups, o.Groups); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if ungrouped := of(t, fleet).Groups; ungrouped != nil {
		t.Errorf("groups that nobody asked for: %v", ungrouped)
	}
}

func TestReasonsAreCountedTheMostFrequentFirst(t *testing.T) {
	t.Parallel()
	fleet := []*health.Record{
		record("a", ""), record("z", cluster.NotReady), record("y", cluster.NotReady), record("x", cluster.NotReady),
		record("b", cluster.ConnectTimeout), record("c", cluster.ConnectTimeout), record("d", cluster.Forbidden),
		record("v", cluster.ConnectTimeout, virtual),
		record("u", "", unprobed),
		record("s", cluster.ConnectTimeout, func(r *health.Record) { r.State, r.Suspect = cluster.Unknown, true }),
		record("h", cluster.ConnectTimeout, func(r *health.Record) { r.State = cluster.Healthy }), // not confirmed
	}
	want := []overview.Reason{
		{Reason: cluster.NotReady, Count: 3, Clusters: []string{"x", "y"}},
		{Reason: cluster.ConnectTimeout, Count: 2, Clusters: []string{"b", "c"}},
	}
	if diff := cmp.Diff(want, of(t, fleet, limit(2)).Reasons); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	last := of(t, fleet).Reasons[3]
	if diff := cmp.Diff(overview.Reason{Reason: cluster.ObserverSuspect, Count: 1, Clusters: []string{"s"}}, last); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestVersionsAreThoseOfServers(t *testing.T) {
	t.Parallel()
	fleet := []*health.Record{
		record("a", ""), record("b", ""), record("c", cluster.NotReady), record("d", "", unprobed),
		record("e", "", func(r *health.Record) { r.Verdict.ServerVersion = "" }), record("v", "", virtual),
	}
	want := []overview.Version{{Version: "", Count: 2}, {Version: "v1.36.3", Count: 2}, {Version: "v1.35.0", Count: 1}}
	if diff := cmp.Diff(want, of(t, fleet).Versions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(of(t, fleet, limit(1)).Versions); n != 1 {
		t.Errorf("%d versions", n)
	}
}

func TestWhatExpiresSoonestComesFirst(t *testing.T) {
	t.Parallel()
	now := time.Now()
	expires := func(kind cluster.ExpiryKind, in time.Duration) func(*health.Record) {
		return func(r *health.Record) { r.Expiries = append(r.Expiries, cluster.Expiry{Kind: kind, At: now.Add(in)}) }
	}
	fleet := []*health.Record{
		record("a", "", expires(cluster.ServingCertificate, 2*time.Hour), expires(cluster.TokenExpiry, time.Hour)),
		record("b", "", expires(cluster.ServingCertificate, -time.Hour)),
		record("c", "", expires(cluster.ServingCertificate, 48*time.Hour)),
	}
	want := []overview.Expiring{
		{Cluster: "b", Kind: cluster.ServingCertificate, At: now.Add(-time.Hour)},
		{Cluster: "a", Kind: cluster.TokenExpiry, At: now.Add(time.Hour)},
		{Cluster: "a", Kind: cluster.ServingCertificate, At: now.Add(2 * time.Hour)},
	}
	if diff := cmp.Diff(want, of(t, fleet).Expiring); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], of(t, fleet, limit(1)).Expiring); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheSlowestComeFirst(t *testing.T) {
	t.Parallel()
	took := func(p99 time.Duration, n int) func(*health.Record) {
		return func(r *health.Record) { r.Latency = health.Quantiles{P99: p99, N: n} }
	}
	fleet := []*health.Record{
		record("a", "", took(time.Second, 5)), record("b", "", took(3*time.Second, 5)), record("c", "", took(2*time.Second, 5)),
		record("never", "", took(0, 0)),
	}
	names := func(o *overview.Overview) (result []string) {
		for _, r := range o.Slowest {
			result = append(result, r.Subject.Name)
		}
		return result
	}
	if diff := cmp.Diff([]string{"b", "c", "a"}, names(of(t, fleet))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b"}, names(of(t, fleet, limit(1)))); diff != "" {
		t.Error(diff)
	}
}

func TestIncidentsAreFoundOverTheFleetAndShownOfTheSelected(t *testing.T) {
	t.Parallel()
	var fleet []*health.Record
	for i := range 30 {
		fleet = append(fleet, record(fmt.Sprintf("sound%02d", i), "", in("x")))
	}
	for i := range 4 {
		fleet = append(fleet, record(fmt.Sprintf("eu%d", i), cluster.ConnectTimeout, in("eu")), record(fmt.Sprintf("us%d", i), cluster.NotReady, in("us")))
	}
	values := func(o *overview.Overview) (result []string) {
		for _, i := range o.Incidents {
			result = append(result, fmt.Sprint(i.Value, len(i.Members)))
		}
		return result
	}
	sorted := cmpopts.SortSlices(strings.Compare)
	if diff := cmp.Diff([]string{"eu4", "us4"}, values(of(t, fleet)), sorted); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"eu4"}, values(of(t, fleet, only("eu1", "sound03")))); diff != "" {
		t.Error(diff)
	}
	if n := len(of(t, fleet, limit(1)).Incidents); n != 1 {
		t.Errorf("%d incidents", n)
	}
}

func TestTransitionsAreThoseOfTheSelected(t *testing.T) {
	t.Parallel()
	fleet := []*health.Record{record("a", ""), record("b", ""), record("c", "")}
	var asked []health.HistoryQuery
	answer := []health.Transition{{Sequence: 9}, {Sequence: 8}, {Sequence: 7}}
	m := overview.New(history(func(_ context.Context, q health.HistoryQuery) ([]health.Transition, error) {
		asked = append(asked, q)
		return answer, nil
	}), nil)
	r := overview.Request{Fleet: fleet, Limit: 2}
	if diff := cmp.Diff(answer[:2], m.Make(t.Context(), r).Transitions); diff != "" {
		t.Error(diff)
	}
	only("a", "c")(&r)
	m.Make(t.Context(), r)
	only("nobody")(&r)
	if o := m.Make(t.Context(), r); len(o.Transitions) > 0 || len(o.Failures) > 0 {
		t.Errorf("of nobody: %+v", o)
	}
	want := []health.HistoryQuery{{Limit: 2}, {Limit: 2, Clusters: map[string]struct{}{"a": {}, "c": {}}}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOnlyTheSelectedAreCounted(t *testing.T) {
	t.Parallel()
	fleet := []*health.Record{record("a", ""), record("b", cluster.NotReady), record("c", cluster.NotReady)}
	o := of(t, fleet, only("a", "b"))
	if o.States.Total != 2 || o.States.Degraded != 1 || o.Reasons[0].Count != 1 || o.Versions[0].Count != 1 {
		t.Errorf("%+v", o)
	}
	if len(fleet) != 3 || fleet[2].Subject.Name != "c" {
		t.Error("the fleet was changed")
	}
}

func TestASectionThatFailsIsNamedAndTheOthersStand(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for name, c := range map[string]struct {
		history overview.History
		takes   time.Duration
		is      error
		logged  string
	}{
		"fails": {
			history: history(func(context.Context, health.HistoryQuery) ([]health.Transition, error) { return nil, broken }),
			is:      broken, logged: "the disk is gone",
		},
		"panics": {
			history: history(func(context.Context, health.HistoryQuery) ([]health.Transition, error) { panic("oh no") }),
			logged:  "oh no",
		},
		"takes too long": {
			history: history(func(ctx context.Context, _ health.HistoryQuery) ([]health.Transition, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}),
			takes: 2 * time.Second, is: context.DeadlineExceeded,
		},
		"is not there": {history: nil, is: overview.ErrNoHistory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				m := overview.New(c.history, slog.New(slog.NewTextHandler(&log, nil)))
				start := time.Now()
				o := m.Make(t.Context(), overview.Request{Fleet: []*health.Record{record("a", "")}, Limit: 10})
				if took := time.Since(start); took != c.takes {
					t.Errorf("took %v, want %v", took, c.takes)
				}
				if len(o.Failures) != 1 || o.Failures[0].Section != overview.SectionTransitions || c.is != nil && !errors.Is(o.Failures[0].Err, c.is) {
					t.Errorf("failures %v", o.Failures)
				}
				if o.States == nil || o.States.Total != 1 || len(o.Versions) != 1 {
					t.Errorf("the others: %+v", o)
				}
				if c.logged == "" && log.Len() > 0 || !strings.Contains(log.String(), c.logged) {
					t.Errorf("logged: %s", log.String())
				}
			})
		})
	}
}

func TestTheCallsTimeIsTheSections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		o := overview.New(history(func(ctx context.Context, _ health.HistoryQuery) ([]health.Transition, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), nil).Make(ctx, overview.Request{Fleet: []*health.Record{record("a", "")}, Limit: 10})
		if took := time.Since(start); took != 300*time.Millisecond || len(o.Failures) != 1 || o.States == nil {
			t.Errorf("after %v: %+v", took, o)
		}
	})
}

func TestEverySectionMayFail(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := overview.New(history(quiet), nil).Make(ctx, overview.Request{Fleet: []*health.Record{record("a", "")}, Limit: 10})
	for i, f := range o.Failures {
		if f.Section != overview.Section(i+1) || !errors.Is(f.Err, context.Canceled) {
			t.Errorf("%+v", f)
		}
	}
	if len(o.Failures) != 7 || o.States != nil {
		t.Errorf("%+v", o)
	}
}
