package fleet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/hibernation"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// survey is what came of one cluster.
type survey struct {
	groups     []hibernation.Group
	results    int
	unreadable map[string]cluster.Reason
	end        *fleet.End
}

func summarize(ctx context.Context, t *testing.T, f *fleet.Fleet, r fleet.HibernationRequest) (map[string]*survey, fleet.Summary) {
	t.Helper()
	run, err := f.SummarizeHibernation(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	summary := fleet.Summary{Expected: run.Expected}
	surveys := make(map[string]*survey)
	for result := range run.Results {
		summary.Hibernation(result)
		s := surveys[result.Cluster]
		if s == nil {
			s = &survey{unreadable: make(map[string]cluster.Reason)}
			surveys[result.Cluster] = s
		}
		if s.end != nil {
			t.Errorf("%s: something came after the end", result.Cluster)
		}
		s.groups = append(s.groups, result.Groups...)
		s.results++
		for _, u := range result.Unreadable {
			s.unreadable[u.Type.String()] = u.Err.Reason
		}
		s.end = result.End
	}
	if len(surveys) != run.Expected || summary.Succeeded+summary.Failed+summary.Skipped+summary.NotAttempted != run.Expected {
		t.Errorf("%d results, %d expected, %+v", len(surveys), run.Expected, summary)
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
	return surveys, summary
}

// simulated is what a simulated cluster has; one with Argo Rollouts has more.
func simulated() hibernation.Sum {
	return hibernation.Sum{Eligible: 10 + 3 + 1, Hibernated: 1, Replicas: 27 + 9 + 3, HibernatedReplicas: 3}
}

func simulatedRollouts() hibernation.Sum {
	s := simulated()
	return hibernation.Sum{Eligible: s.Eligible + 7, Hibernated: 2, Replicas: s.Replicas + 18, HibernatedReplicas: 6}
}

// withRollouts is the one of three simulated clusters that has Argo Rollouts.
const withRollouts = 2

func (s *survey) mustBe(t *testing.T, about string, want hibernation.Sum, reason cluster.Reason) {
	t.Helper()
	if diff := cmp.Diff([]hibernation.Group{{Sum: want}}, s.groups); diff != "" {
		t.Errorf("%s (-want +got):\n%s", about, diff)
	}
	if len(s.unreadable) != want.Unknown {
		t.Errorf("%s: %d types are unknown, unreadable are %v", about, want.Unknown, s.unreadable)
	}
	if got := s.reason(); got != reason {
		t.Errorf("%s: ended with %q, want %q", about, got, reason)
	}
}

func (s *survey) reason() cluster.Reason {
	if s.end.Err == nil {
		return ""
	}
	return s.end.Err.Reason
}

func TestHibernationIsSummedUpByCluster(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 3})
	f := fleettest.Of(t, append(fleettest.Definitions(t, sim), cluster.Definition{Name: "virtual", Virtual: true}), fleet.Options{})
	surveys, summary := summarize(t.Context(), t, f, fleet.HibernationRequest{})
	if v := surveys["virtual"]; !v.end.Skipped || len(v.groups) != 0 {
		t.Errorf("the virtual one: %+v", v)
	}
	for i, name := range sim.Names() {
		s, want, pages := surveys[name], simulated(), 3
		if i == withRollouts {
			want, pages = simulatedRollouts(), 4
		}
		s.mustBe(t, name, want, "")
		if s.end.Items != int64(want.Eligible) || s.end.Pages != pages || s.end.Bytes == 0 || s.end.Duration <= 0 {
			t.Errorf("%s: %+v", name, s.end)
		}
	}
	if summary.Succeeded != 3 || summary.Skipped != 1 || summary.Items != 14+14+21 {
		t.Errorf("%+v", summary)
	}
}

func TestHibernationIsSummedUpByNamespaceOrTellsOfEachWorkload(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3})
	names := sim.Names()
	by := func(r fleet.HibernationRequest) []hibernation.Group {
		r.Selector = fleet.Selector{Names: names[withRollouts:]}
		surveys, _ := summarize(t.Context(), t, f, r)
		if s := surveys[names[withRollouts]]; s.end.Err == nil {
			return s.groups
		}
		t.Error("it failed")
		return nil
	}
	var total hibernation.Sum
	var seen []string
	for _, g := range by(fleet.HibernationRequest{Grouping: hibernation.ByNamespace}) {
		seen = append(seen, g.Namespace)
		total = plus(total, g.Sum)
	}
	if diff := cmp.Diff([]string{"default", "kube-system", "payments", "search", "shop"}, seen); diff != "" || total != simulatedRollouts() {
		t.Errorf("namespaces (-want +got):\n%s\n%+v", diff, total)
	}

	kinds, asleep := make(map[string]int), make(map[string]int)
	total = hibernation.Sum{}
	for _, g := range by(fleet.HibernationRequest{Grouping: hibernation.ByWorkload}) {
		kinds[g.Kind]++
		if g.State() == hibernation.Hibernated {
			asleep[g.Kind+" "+g.Namespace+"/"+g.Name]++
		}
		total = plus(total, g.Sum)
	}
	if diff := cmp.Diff(map[string]int{"Deployment": 10, "StatefulSet": 3, "ReplicaSet": 1, "Rollout": 7}, kinds); diff != "" || total != simulatedRollouts() {
		t.Errorf("kinds (-want +got):\n%s\n%+v", diff, total)
	}
	if diff := cmp.Diff(map[string]int{"Deployment search/gateway-00006": 1, "Rollout shop/gateway-canary-00006": 1}, asleep); diff != "" {
		t.Errorf("asleep (-want +got):\n%s", diff)
	}

	if search := by(fleet.HibernationRequest{Grouping: hibernation.ByWorkload, Namespace: "search", LabelSelector: "app=gateway"}); len(search) != 1 || search[0].Name != "gateway-00006" {
		t.Errorf("of one namespace and app: %+v", search)
	}
	if other := by(fleet.HibernationRequest{Annotation: "example.com/was"}); other[0].Hibernated != 0 || other[0].Eligible != 21 {
		t.Errorf("by another annotation: %+v", other)
	}
}

func plus(a, b hibernation.Sum) hibernation.Sum {
	return hibernation.Sum{
		Eligible: a.Eligible + b.Eligible, Hibernated: a.Hibernated + b.Hibernated, Unknown: a.Unknown + b.Unknown,
		Replicas: a.Replicas + b.Replicas, HibernatedReplicas: a.HibernatedReplicas + b.HibernatedReplicas,
	}
}

func TestATypeThatCannotBeReadLeavesTheOthers(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 6})
	names := sim.Names()
	withoutSets := simulated()
	withoutSets.Eligible, withoutSets.Replicas, withoutSets.Unknown = 11, 30, 1
	withoutRollouts := simulated()
	withoutRollouts.Unknown = 1
	for i, c := range []struct {
		fault      simulator.Fault
		unreadable string
		reason     cluster.Reason
		want       hibernation.Sum
	}{
		{simulator.Fault{Kind: simulator.Forbidden, Paths: []string{"/apis/apps/v1/statefulsets"}}, "statefulsets.apps", cluster.Forbidden, withoutSets},
		{simulator.Fault{Kind: simulator.Error500, Paths: []string{"/apis/apps/v1/statefulsets"}}, "statefulsets.apps", cluster.ServerError, withoutSets},
		{simulator.Fault{Kind: simulator.Forbidden, Paths: []string{"/apis/argoproj.io/"}}, "rollouts.argoproj.io", cluster.Forbidden, withoutRollouts},
		{simulator.Fault{Kind: simulator.HTML, Paths: []string{"/apis/apps/v1/statefulsets"}}, "statefulsets.apps", cluster.MalformedResponse, withoutSets},
		{simulator.Fault{Kind: simulator.Forbidden, Paths: []string{"/api"}}, "", "", hibernation.Sum{}},
	} {
		fleettest.SetFault(t, sim, names[i], c.fault)
		surveys, _ := summarize(t.Context(), t, f, fleet.HibernationRequest{Selector: fleet.Selector{Names: names[i : i+1]}})
		s := surveys[names[i]]
		if c.unreadable == "" { // nothing could be read
			s.mustBe(t, "all forbidden", hibernation.Sum{Unknown: 4}, cluster.Forbidden)
			continue
		}
		s.mustBe(t, string(c.fault.Kind), c.want, "")
		if diff := cmp.Diff(map[string]cluster.Reason{c.unreadable: c.reason}, s.unreadable); diff != "" {
			t.Errorf("unreadable (-want +got):\n%s", diff)
		}
		if s.groups[0].State() != hibernation.PartiallyHibernated {
			t.Errorf("the state is %d", s.groups[0].State())
		}
	}
	surveys, _ := summarize(t.Context(), t, f, fleet.HibernationRequest{Selector: fleet.Selector{Names: names[:1]}, Grouping: hibernation.ByNamespace})
	for _, g := range surveys[names[0]].groups {
		if g.Unknown != 1 {
			t.Errorf("in namespace %s %d types are unknown", g.Namespace, g.Unknown)
		}
	}
}

func TestAClusterThatFailsIsAskedNoMoreAndIsUnknown(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 5, OwnPorts: true})
	names := sim.Names()
	for i, c := range []struct {
		fault    simulator.Fault
		want     cluster.Reason
		requests int64
	}{
		{simulator.Fault{Kind: simulator.Refuse}, cluster.ConnectionRefused, 0},
		{simulator.Fault{Kind: simulator.Unauthorized}, cluster.Unauthenticated, 1},
		{simulator.Fault{Kind: simulator.Throttle, RetryAfter: 1}, cluster.Throttled, 1},
		{simulator.Fault{Kind: simulator.NotFound}, cluster.MalformedResponse, 0}, // no API server: not one without workloads
	} {
		fleettest.SetFault(t, sim, names[i], c.fault)
		surveys, summary := summarize(t.Context(), t, f, fleet.HibernationRequest{Selector: fleet.Selector{Names: names[i : i+1]}})
		surveys[names[i]].mustBe(t, string(c.fault.Kind), hibernation.Sum{Unknown: 4}, c.want)
		awaitCounted(t, sim)
		if s, _ := sim.ClusterStats(names[i]); c.requests > 0 && s.Requests != c.requests {
			t.Errorf("%s: %d requests", c.fault.Kind, s.Requests)
		}
		if summary.Failed != 1 {
			t.Errorf("%s: %+v", c.fault.Kind, summary)
		}
	}
	known := cluster.NewError(cluster.ConnectTimeout, cluster.PhaseConnect, "it is known to be down", nil)
	surveys, _ := summarize(t.Context(), t, f, fleet.HibernationRequest{
		Selector:    fleet.Selector{Names: names[4:]},
		Unreachable: func(string) *cluster.Error { return known },
	})
	surveys[names[4]].mustBe(t, "known to be unreachable", hibernation.Sum{Unknown: 4}, cluster.ConnectTimeout)
	if s, _ := sim.ClusterStats(names[4]); s.AcceptedConnections != 0 {
		t.Error("a cluster that is known to be unreachable was asked")
	}
}

func TestTheTimeOfAClusterIsThatOfAllItsTypes(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 3})
	names := sim.Names()
	slow, err := simulator.ParseLatency("1200ms")
	if err != nil {
		t.Fatal(err)
	}
	fleettest.SetFault(t, sim, names[0], simulator.Fault{Kind: simulator.Slow, Latency: slow, Paths: []string{"/apis/apps"}})
	fleettest.SetFault(t, sim, names[1], simulator.Fault{Kind: simulator.Hang, Paths: []string{"/apis/apps/v1/statefulsets"}})
	surveys, summary := summarize(t.Context(), t, f, fleet.HibernationRequest{Timeout: timeout})
	surveys[names[0]].mustBe(t, "slow", hibernation.Sum{Eligible: 13, Hibernated: 1, Replicas: 36, HibernatedReplicas: 3, Unknown: 2}, cluster.ResponseTimeout)
	surveys[names[1]].mustBe(t, "hanging", hibernation.Sum{Eligible: 10, Hibernated: 1, Replicas: 27, HibernatedReplicas: 3, Unknown: 3}, cluster.ResponseTimeout)
	surveys[names[2]].mustBe(t, "good", simulatedRollouts(), "")
	for _, name := range names[:2] {
		if took := surveys[name].end.Duration; took > timeout+timeout/2 {
			t.Errorf("%s took %v", name, took)
		}
	}
	if summary.Failed != 2 {
		t.Errorf("%+v", summary)
	}
}

func TestACensusWhoseTimeRunsOutTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4})
	names := sim.Names()
	for _, name := range names {
		fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang, Paths: []string{"/apis/apps/v1/statefulsets"}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	surveys, summary := summarize(ctx, t, f, fleet.HibernationRequest{Limit: 1})
	began := 0
	for name, s := range surveys {
		want := hibernation.Sum{Unknown: 4}
		if s.end.Err == nil || s.end.Err.Blame != cluster.BlameObserver {
			t.Errorf("%s: %+v", name, s.end)
		}
		if s.end.Pages > 0 {
			began++
			want = hibernation.Sum{Eligible: 10, Hibernated: 1, Replicas: 27, HibernatedReplicas: 3, Unknown: 3}
		}
		s.mustBe(t, name, want, s.reason())
	}
	if began != 1 || summary.NotAttempted != 3 || summary.Failed != 1 {
		t.Errorf("%d began, %+v", began, summary)
	}
}

func TestACallerWhoLeavesACensusLeavesNothingBehind(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 8, Counts: map[string]int{"deployments": 600}})
	for _, grouping := range []hibernation.Grouping{hibernation.ByCluster, hibernation.ByWorkload} {
		run, err := f.SummarizeHibernation(t.Context(), fleet.HibernationRequest{Grouping: grouping})
		if err != nil {
			t.Fatal(err)
		}
		for range run.Results {
			break
		}
		if !f.Idle() {
			t.Error("something is still held")
		}
		await(t, "the servers see that the caller left", func() bool { return sim.Stats().InFlight == 0 })
	}
}

// crowded returns a fleet of one cluster whose lists have n workloads, each in a namespace of its own, and how often it was
// asked for them.
func crowded(t *testing.T, n, nameBytes int) (f *fleet.Fleet, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		out := bufio.NewWriter(w)
		defer out.Flush()
		fmt.Fprint(out, `{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{},"items":[`)
		for i := range n {
			if i > 0 {
				fmt.Fprint(out, ",")
			}
			fmt.Fprintf(out, `{"metadata":{"namespace":"%0*d","name":"a"},"spec":{"replicas":1}}`, nameBytes, i)
		}
		fmt.Fprint(out, "]}")
	}), asked
}

func TestResultsOfACensusAreOfBoundedSize(t *testing.T) {
	f, _ := crowded(t, 5000, 60)
	for _, grouping := range []hibernation.Grouping{hibernation.ByNamespace, hibernation.ByWorkload} {
		run, err := f.SummarizeHibernation(t.Context(), fleet.HibernationRequest{Grouping: grouping})
		if err != nil {
			t.Fatal(err)
		}
		groups, results := 0, 0
		for result := range run.Results {
			size := 0
			for _, g := range result.Groups {
				size += len(g.Namespace) + len(g.Kind) + len(g.Name) + 30
			}
			if size > 256<<10 {
				t.Errorf("a result has %d bytes", size)
			}
			groups += len(result.Groups)
			results++
		}
		if groups < 5000 || results < 3 {
			t.Errorf("%d groups came in %d results", groups, results)
		}
	}
}

func TestAClusterOfMoreNamespacesThanFitIsTold(t *testing.T) {
	const workloads = 5000
	f, asked := crowded(t, workloads, 1000)
	surveys, _ := summarize(t.Context(), t, f, fleet.HibernationRequest{Grouping: hibernation.ByNamespace})
	s := surveys["odd"]
	if s.reason() != cluster.ResponseTooLarge || len(s.unreadable) != 4 || !strings.Contains(s.end.Err.Message, "name a namespace") {
		t.Errorf("unreadable %v, %v", s.unreadable, s.end.Err)
	}
	if len(s.groups) < workloads/2 || len(s.groups) >= workloads || asked.Load() != 1 || s.end.Bytes < 1<<20 || s.end.Pages != 1 {
		t.Errorf("%d groups after %d requests, %+v", len(s.groups), asked.Load(), s.end)
	}
	surveys, _ = summarize(t.Context(), t, f, fleet.HibernationRequest{Grouping: hibernation.ByWorkload})
	if s := surveys["odd"]; s.end.Items < 3*workloads || len(s.groups) != int(s.end.Items) {
		t.Errorf("one by one: %d groups, %+v", len(s.groups), s.end)
	}
}

func TestATypeThatWaitsBehindOtherCallersWhenTheTimeRunsOutHasHadItsTurn(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan string, 10), make(chan struct{})
	f := serving(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if !strings.HasSuffix(r.URL.Path, "/deployments") {
			<-r.Context().Done()
			return
		}
		<-answer
		w.Header().Set("Content-Type", "application/json")
		list("")(w)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() {
		<-asked                      // the first type has one of two places
		for range cluster.MaxReads { // the other one, and the first as soon as it is free
			others.Go(func() { fetchAll(ctx, t, f, fleet.FetchRequest{Query: configMaps()}) })
		}
		<-asked
		<-time.After(100 * time.Millisecond) // until the last one waits
		close(answer)
	})
	surveys, summary := summarize(ctx, t, f, fleet.HibernationRequest{})
	surveys["odd"].mustBe(t, "behind others", hibernation.Sum{Unknown: 3}, cluster.ResponseTimeout)
	if summary.Failed != 1 {
		t.Errorf("%+v", summary)
	}
}

func TestHostileHibernationRequestsReachNoCluster(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	for field, r := range map[string]fleet.HibernationRequest{
		"namespace":               {Namespace: "../secrets"},
		"label_selector":          {LabelSelector: "a in (b"},
		"annotation":              {Annotation: "a b"},
		"selector.label_selector": {Selector: fleet.Selector{Labels: "a in (b"}},
	} {
		_, err := f.SummarizeHibernation(t.Context(), r)
		if bad, ok := errors.AsType[*fleet.RequestError](err); !ok || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := f.SummarizeHibernation(t.Context(), fleet.HibernationRequest{Selector: fleet.Selector{Names: []string{"nowhere"}}})
	if _, ok := errors.AsType[*fleet.UnknownClusterError](err); !ok {
		t.Errorf("an unknown cluster: %v", err)
	}
	if n := sim.Stats().AcceptedConnections; n != 0 {
		t.Errorf("%d connections were made", n)
	}
}
