package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/hibernation"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// readAs makes one call that reads the ConfigMaps, or the workloads, of all clusters, and counts it.
func readAs(ctx context.Context, t *testing.T, f *fleet.Fleet, call string, known fleet.Unreachable) (map[string]*fleet.End, fleet.Summary) {
	t.Helper()
	ends, summary := map[string]*fleet.End{}, fleet.Summary{}
	switch call {
	case "fetch":
		run, err := f.Fetch(ctx, fleet.FetchRequest{Query: configMaps(), Limit: 1, Unreachable: known})
		if err != nil {
			t.Fatal(err)
		}
		for b := range run.Results {
			summary.Fetch(b)
			ends[b.Cluster] = b.End
		}
	case "compare":
		for name, c := range compareAll(ctx, t, f, fleet.CompareRequest{Limit: 1, Unreachable: known}).clusters {
			summary.Compare(c)
			ends[name] = &c.End
		}
	case "hibernation":
		run, err := f.SummarizeHibernation(ctx, fleet.HibernationRequest{Limit: 1, Unreachable: known})
		if err != nil {
			t.Fatal(err)
		}
		for r := range run.Results {
			summary.Hibernation(r)
			ends[r.Cluster] = r.End
		}
	}
	return ends, summary
}

func TestEachCallThatReadsIsCountedAlike(t *testing.T) {
	for _, call := range []string{"fetch", "compare", "hibernation"} {
		definitions := answeredBy(t, 3, func(c int, w http.ResponseWriter, r *http.Request) {
			switch {
			case c == 2:
				w.WriteHeader(http.StatusTooManyRequests)
			case strings.HasPrefix(r.URL.Path, "/apis/") && !strings.HasSuffix(r.URL.Path, "/deployments"):
				unknownPath(w, r)
			default:
				<-time.After(5 * time.Millisecond)
				list(`{"metadata":{"name":"a","namespace":"ns"},"spec":{"replicas":1}}`)(w)
			}
		})
		registry := prometheus.NewRegistry()
		f := fleettest.Of(t, append(definitions, cluster.Definition{Name: "virtual", Virtual: true}), fleet.Options{Metrics: registry})
		_, s := readAs(t.Context(), t, f, call, nil)
		if s.Succeeded != 2 || s.Failed != 1 || s.Skipped != 1 || s.Throttled != 1 || s.Items != 2 || s.Bytes == 0 || s.Busy < 10*time.Millisecond || s.Queued < 10*time.Millisecond {
			t.Errorf("%s: %+v", call, s)
		}
		got := gathered(t, registry)
		for key, want := range map[string]float64{
			"reads_total{reason=,result=succeeded}":       2,
			"reads_total{reason=THROTTLED,result=failed}": 1,
			"read_queued_seconds{}":                       3,
			"read_duration_seconds{}":                     3,
			"read_items_total{}":                          2,
			"read_bytes_total{}":                          float64(s.Bytes),
			"read_pages_total{}":                          2,
			"clusters_throttled{call=read}":               1,
		} {
			if got[key] != want {
				t.Errorf("%s: %s is %v, want %v", call, key, got[key], want)
			}
		}
	}
}

// TestAClusterThatIsNotTriedIsToldEvenIfTheTimeRunsOut has it behind others that take all of the time.
func TestAClusterThatIsNotTriedIsToldEvenIfTheTimeRunsOut(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"fetch", "compare", "hibernation"} {
		f := many(t, 3, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		down := cluster.NewError(cluster.ConnectTimeout, cluster.PhaseConnect, "it is known to be down", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		ends, _ := readAs(ctx, t, f, call, func(name string) *cluster.Error {
			if name == "c002" {
				return down
			}
			return nil
		})
		cancel()
		if ends["c002"].Err != down || ends["c000"].Err == nil || f.ReadPace("c002") != 0 {
			t.Errorf("%s: %v, %v", call, ends["c002"].Err, f.ReadPace("c002"))
		}
	}
}

// TestWhatWasReadBeforeAnErrorOfOursCounts has objects that cannot be compared: two members of one have the same name.
func TestWhatWasReadBeforeAnErrorOfOursCounts(t *testing.T) {
	var asked atomic.Int64
	f := many(t, 1, func(_ int, w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		items := strings.Repeat(`{"metadata":{"name":"a","namespace":"ns"},"data":{"a":"1","a":"`+strings.Repeat("x", 1000)+`"}},`, 600)
		fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"continue":"more"},"items":[%s]}`, strings.TrimSuffix(items, ","))
	})
	c := compareAll(t.Context(), t, f, fleet.CompareRequest{}).clusters["c000"]
	if c.TakesPart() || c.End.Err.Reason != cluster.MalformedResponse || c.End.Pages != 1 || c.End.Bytes < 16<<10 || c.End.Items == 0 || asked.Load() > 2 {
		t.Errorf("%+v, %v after %d requests", c.End, c.End.Err, asked.Load())
	}
}

// goneAfterAPage answers the second page of each list with a Status of 404.
func goneAfterAPage(item string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("continue") != "":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
		case strings.HasSuffix(r.URL.Path, "/deployments"), strings.HasSuffix(r.URL.Path, "/configmaps"):
			fmt.Fprintf(w, `{"kind":"XList","apiVersion":"apps/v1","metadata":{"continue":"more"},"items":[%s]}`, item)
		case strings.HasSuffix(r.URL.Path, "sets"):
			list("")(w)
		default:
			unknownPath(w, r)
		}
	}
}

func TestAListThatIsGoneInItsMiddleIsNotMissing(t *testing.T) {
	for about, item := range map[string]string{
		"an empty page": "",
		"a page":        `{"metadata":{"name":"a","namespace":"ns","annotations":{"hibernator.devtron.ai/replicas":"3"}},"spec":{"replicas":0}}`,
	} {
		f := many(t, 1, goneAfterAPage(item))
		c := compareAll(t.Context(), t, f, fleet.CompareRequest{}).clusters["c000"]
		if c.TakesPart() || c.End.Err.Reason != cluster.ServerError || c.End.Err.StatusCode != http.StatusNotFound {
			t.Errorf("%s: compared: %+v", about, c.End.Err)
		}
		surveys, _ := summarize(t.Context(), t, f, fleet.HibernationRequest{})
		s := surveys["c000"]
		if diff := cmp.Diff(map[string]cluster.Reason{"deployments.apps": cluster.ServerError}, s.unreadable); diff != "" || s.end.Err != nil {
			t.Errorf("%s: unreadable (-want +got):\n%s\n%v", about, diff, s.end.Err)
		}
		if s.groups[0].Unknown != 1 || s.groups[0].State() == hibernation.Hibernated {
			t.Errorf("%s: %+v", about, s.groups)
		}
	}
}
