package fleet_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// mustBeAll checks that all n objects came, each once.
func mustBeAll(t *testing.T, got *fetched, n int) {
	t.Helper()
	seen := make(map[string]bool)
	for _, item := range got.items {
		seen[item.Namespace+"/"+item.Name] = true
	}
	if got.end.Err != nil || len(seen) != n || len(got.items) != n || got.end.Items != int64(n) {
		t.Errorf("%d objects of %d names, want %d; the end is %+v, %v", len(got.items), len(seen), n, got.end, got.end.Err)
	}
}

// The server does not end a page before it is asked for the next one.
func TestTheNextPageIsOnItsWayWhileOneIsRead(t *testing.T) {
	t.Parallel()
	const pages = 10
	asked := make([]chan struct{}, pages+1)
	for i := range asked {
		asked[i] = make(chan struct{})
	}
	close(asked[pages])
	f := serving(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("continue")) // none: the first
		close(asked[n])
		next := strconv.Itoa(n + 1)
		if n == pages-1 {
			next = ""
		}
		fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"continue":%q},"items":[{"metadata":{"name":"%d-a"}}`, next, n)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-asked[n+1]:
			fmt.Fprintf(w, `,{"metadata":{"name":"%d-b"}}]}`, n)
		case <-r.Context().Done():
		}
	})
	got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), Timeout: 8 * time.Second})["odd"]
	mustBeAll(t, got, 2*pages)
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestNoMoreThanTwoReadsOfAClusterRunAtOnce(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{
		Clusters: 1, Counts: fleettest.OnlyConfigMaps(2600), Latency: simulator.Constant(5 * time.Millisecond),
	})
	name := sim.Names()[0]
	var calls sync.WaitGroup
	for range 5 {
		calls.Go(func() { mustBeAll(t, fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()})[name], 2600) })
	}
	calls.Wait()
	if s, _ := sim.ClusterStats(name); s.PeakInFlight != cluster.MaxReads {
		t.Errorf("%d reads ran at once", s.PeakInFlight)
	}
}

func TestNoPageIsAskedForAheadWhereThereIsNoMemoryForIt(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(2600)})
	release := f.LeaveReads(fleet.ReadWeight)
	defer release()
	name := sim.Names()[0]
	mustBeAll(t, fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()})[name], 2600)
	if s, _ := sim.ClusterStats(name); s.PeakInFlight != 1 {
		t.Errorf("%d reads ran at once", s.PeakInFlight)
	}
}

func TestAPageAskedForAheadDoesNotWaitForASlowCaller(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(1200), ObjectBytes: 20_000})
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	items, waited := 0, false
	for b := range run.Results {
		if !waited {
			waited = true
			await(t, "the next page is on its way", func() bool { return sim.Stats().InFlight == 2 && f.Held() == 2*fleet.ReadWeight })
			await(t, "it is given up", func() bool { return sim.Stats().InFlight == 1 && f.Held() == fleet.ReadWeight })
		}
		items += len(b.Items)
		if b.End != nil && (b.End.Err != nil || b.End.Pages != 3) {
			t.Errorf("%+v", b.End)
		}
	}
	awaitCounted(t, sim)
	if s := sim.Stats(); items != 1200 || s.Aborted != 1 || s.Requests != 4 {
		t.Errorf("%d objects; %d requests, %d aborted", items, s.Requests, s.Aborted)
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

// manyPages serves pages of one object; later answers for all but the first.
func manyPages(later http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("continue") != "" {
			later(w, r)
			return
		}
		fmt.Fprint(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"more"},"items":[{"metadata":{"name":"a"}}`)
		_ = http.NewResponseController(w).Flush()
		<-time.After(100 * time.Millisecond)
		fmt.Fprint(w, `,{"metadata":{"name":"b"}}]}`)
	}
}

func TestAPageThatFailsAheadIsToldOfInItsTurn(t *testing.T) {
	t.Parallel()
	f := serving(t, manyPages(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()})["odd"]
	if len(got.items) != 2 || got.end.Err == nil || got.end.Err.Reason != cluster.Throttled || got.end.Pages != 1 {
		t.Errorf("%d objects, %+v", len(got.items), got.end)
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestLeavingTheLoopEndsThePageAskedForAhead(t *testing.T) {
	t.Parallel()
	asked, ended := make(chan struct{}), make(chan struct{})
	f := serving(t, manyPages(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(ended)
	}))
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	for range run.Results {
		<-asked
		break
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
	<-ended
}

func TestOneObjectMoreThanWantedIsNotRead(t *testing.T) {
	t.Parallel()
	const all = 1234
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(all)})
	name := sim.Names()[0]
	for _, format := range []cluster.Format{cluster.FullFormat, cluster.TableFormat} {
		for _, limit := range []int64{1, 499, 500, 501, 1000, 1233, 1234, 1235, 9999} {
			t.Run(fmt.Sprintf("%d in format %d", limit, format), func(t *testing.T) {
				sim.ResetStats()
				q := configMaps()
				q.Format = format
				got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q, LimitPerCluster: limit})[name]
				want := min(limit, all)
				if n := int64(len(got.items) + got.rows); n != want || got.end.Items != want || got.end.Err != nil || got.end.ResourceVersion == "" {
					t.Errorf("%d objects, %+v", n, got.end)
				}
				if got.end.Truncated != (limit < all) {
					t.Errorf("truncated: %t", got.end.Truncated)
				}
				awaitCounted(t, sim)
				if requests := (want + 499) / 500; sim.Stats().Requests != requests || sim.Stats().Aborted != 0 {
					t.Errorf("%+v, want %d requests", sim.Stats(), requests)
				}
				var s fleet.Summary
				s.Fetch(&fleet.Batch{End: got.end})
				if s.Truncated+s.Succeeded != 1 || (s.Truncated == 1) != got.end.Truncated {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// An API server that tells of further pages behind the items, as for custom resources, or that ignores the limit.
func TestTheLimitHoldsWhateverTheServerSends(t *testing.T) {
	t.Parallel()
	for about, tt := range map[string]struct {
		body  string
		limit int64
		want  bool
	}{
		"more items than asked for": {`{"kind":"ConfigMapList","apiVersion":"v1","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}`, 1, true},
		"a token behind the items":  {`{"apiVersion":"v1","items":[{"kind":"ConfigMap","metadata":{"name":"a"}}],"kind":"ConfigMapList","metadata":{"continue":"t"}}`, 1, true},
		"all of them":               {`{"apiVersion":"v1","items":[{"kind":"ConfigMap","metadata":{"name":"a"}}],"kind":"ConfigMapList","metadata":{}}`, 1, false},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			f := answering(t, func(w io.Writer) { fmt.Fprint(w, tt.body) })
			got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), LimitPerCluster: tt.limit})["odd"]
			if len(got.items) != 1 || got.end.Err != nil || got.end.Truncated != tt.want {
				t.Errorf("%d objects, %+v", len(got.items), got.end)
			}
		})
	}
}

func TestWholePagesAreAskedForWhereAServerSendsLessThanThat(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var limits []string
	f := serving(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		limits = append(limits, r.URL.Query().Get("limit"))
		n := len(limits)
		fmt.Fprintf(w, `{"apiVersion":"v1","items":[{"kind":"ConfigMap","metadata":{"name":"%03d"}}],"kind":"ConfigMapList","metadata":{"continue":"%s"}}`,
			n, strings.TrimSuffix(strconv.Itoa(n), "3"))
	})
	got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), LimitPerCluster: 10})["odd"]
	if text := strings.Join(limits, " "); text != "10 500 500" || len(got.items) != 3 || got.end.Truncated || got.end.Err != nil {
		t.Errorf("asked for %s; %d objects, %+v", text, len(got.items), got.end)
	}
}

func TestAListWhoseTokensExpireIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	const all = 2345
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(all)})
	name := sim.Names()[0]
	for about, fault := range map[string]simulator.Fault{
		"by fresh tokens":     {Fresh: true},
		"by one fresh token":  {Fresh: true, Times: 1},
		"begun anew":          {Times: 1},
		"begun anew for long": {Times: 3},
	} {
		for _, format := range []cluster.Format{cluster.FullFormat, cluster.TableFormat, cluster.MetadataFormat} {
			t.Run(fmt.Sprintf("%s in format %d", about, format), func(t *testing.T) {
				fault.Kind = simulator.ExpiredContinue
				fleettest.SetFault(t, sim, name, fault)
				q := configMaps()
				q.Format = format
				got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q})[name]
				if format != cluster.TableFormat {
					mustBeAll(t, got, all)
				}
				if got.end.Items != all || !got.end.Inconsistent || got.end.Err != nil {
					t.Errorf("%+v", got.end)
				}
			})
		}
	}
}

func TestAListWhoseTokensNeverLastKeepsWhatWasRead(t *testing.T) {
	t.Parallel()
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1, Counts: fleettest.OnlyConfigMaps(1234)})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.ExpiredContinue})
	got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()})[name]
	if e := got.end.Err; len(got.items) != 500 || e == nil || e.Reason != cluster.ServerError || e.StatusCode != 410 || !strings.Contains(e.Message, "begun anew 3 times") {
		t.Errorf("%d objects, %+v", len(got.items), e)
	}
}

func TestWaitingForATurnAtTheClusterIsNotTheClustersTime(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	var others []*cluster.Body
	for range cluster.MaxReads {
		body, err := f.Client(name).Read(t.Context(), configMaps(), "")
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, body)
	}
	time.AfterFunc(timeout+time.Second, func() {
		for _, body := range others {
			_ = body.Close()
		}
	})
	got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), Timeout: timeout})[name]
	if got.end.Err != nil || got.end.Queued < timeout || got.end.Duration > timeout {
		t.Errorf("%+v", got.end)
	}
	var s fleet.Summary
	s.Fetch(&fleet.Batch{End: got.end})
	if s.Queued != got.end.Queued || s.Busy != got.end.Duration {
		t.Errorf("%+v of %+v", s, got.end)
	}
}
