package fleet_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// many returns a fleet of n clusters, c000 and so on, that one handler answers for.
func many(t testing.TB, n int, handler func(cluster int, w http.ResponseWriter, r *http.Request)) *fleet.Fleet {
	t.Helper()
	return fleettest.Of(t, answeredBy(t, n, handler), fleet.Options{})
}

func answeredBy(t testing.TB, n int, handler func(cluster int, w http.ResponseWriter, r *http.Request)) []cluster.Definition {
	t.Helper()
	mux := http.NewServeMux()
	for i := range n {
		mux.Handle(fmt.Sprintf("/c%03d/", i), http.StripPrefix(fmt.Sprintf("/c%03d", i), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			handler(i, w, r)
		})))
	}
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	var definitions []cluster.Definition
	for i := range n {
		definitions = append(definitions, cluster.Definition{Name: fmt.Sprintf("c%03d", i), Config: &rest.Config{
			Host: fmt.Sprintf("%s/c%03d", server.URL, i), TLSClientConfig: rest.TLSClientConfig{CAData: encodeCertificate(server)},
		}})
	}
	return definitions
}

// serveMaps answers as an API server that has these ConfigMaps: the data by name.
func serveMaps(w http.ResponseWriter, r *http.Request, maps map[string]string) {
	one := func(name, data string) string {
		return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"ns","uid":"%p"},"data":%s}`, name, &name, data)
	}
	if _, name, single := strings.Cut(r.URL.Path, "configmaps/"); single {
		if data, ok := maps[name]; ok {
			fmt.Fprint(w, strings.Replace(one(name, data), "{", `{"kind":"ConfigMap","apiVersion":"v1",`, 1))
			return
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"it is not found"}`)
		return
	}
	var items []string
	for name, data := range maps {
		items = append(items, one(name, data))
	}
	list(strings.Join(items, ","))(w)
}

// compared is a whole comparison.
type compared struct {
	clusters map[string]*fleet.ComparedCluster
	objects  []*fleet.ComparedObject
	totals   *fleet.ComparedTotals
}

func compareAll(ctx context.Context, t testing.TB, f *fleet.Fleet, r fleet.CompareRequest) compared {
	t.Helper()
	if r.Query == (cluster.Query{}) {
		r.Query = configMaps()
	}
	run, err := f.Compare(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	got := compared{clusters: map[string]*fleet.ComparedCluster{}}
	for event := range run.Results {
		switch {
		case got.totals != nil:
			t.Error("something comes after the totals")
		case event.Totals != nil:
			got.totals = event.Totals
		case event.Object != nil:
			got.objects = append(got.objects, event.Object)
		case len(got.objects) > 0:
			t.Error("a cluster comes after an object")
		default:
			got.clusters[event.Cluster.Cluster] = event.Cluster
		}
	}
	if len(got.clusters) != run.Expected {
		t.Errorf("%d clusters, %d expected", len(got.clusters), run.Expected)
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
	return got
}

func TestComparedObjectsAreGroupedAndDiffed(t *testing.T) {
	f := many(t, 5, func(c int, w http.ResponseWriter, r *http.Request) {
		maps := map[string]string{"same": `{"k":"v"}`, "web": `{"k":"v"}`}
		switch c {
		case 3:
			maps["web"], maps["only"] = `{"k":"other"}`, `{}`
		case 4:
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		serveMaps(w, r, maps)
	})
	got := compareAll(t.Context(), t, f, fleet.CompareRequest{})
	want := []*fleet.ComparedObject{
		{Namespace: "ns", Name: "only", Variants: []fleet.ComparedVariant{{Clusters: []string{"c003"}}}, Missing: []string{"c000", "c001", "c002"}},
		{Namespace: "ns", Name: "web", Variants: []fleet.ComparedVariant{
			{Clusters: []string{"c000", "c001", "c002"}},
			{Clusters: []string{"c003"}, Diff: "--- c000\n+++ c003\n@@ -1,6 +1,6 @@\n apiVersion: v1\n data:\n-  k: v\n+  k: other\n kind: ConfigMap\n metadata:\n   name: web\n"},
		}},
	}
	for _, o := range got.objects {
		for i := range o.Variants {
			if o.Variants[i].Hash == ([32]byte{}) {
				t.Error("a hash is missing")
			}
			o.Variants[i].Hash = [32]byte{}
		}
	}
	if diff := cmp.Diff(want, got.objects); diff != "" {
		t.Error(diff)
	}
	if x := got.totals; x.Objects != 3 || x.Equal != 1 || x.Differing != 1 || x.MissingSomewhere != 1 || x.Cut {
		t.Errorf("totals: %+v", x)
	}
	if e := got.clusters["c004"].End.Err; e == nil || e.Reason != cluster.ServerError || got.clusters["c004"].TakesPart() {
		t.Errorf("c004: %+v", got.clusters["c004"])
	}

	against := compareAll(t.Context(), t, f, fleet.CompareRequest{Against: "c003", IncludeEqual: true})
	if len(against.objects) != 3 || against.objects[2].Variants[0].Clusters[0] != "c003" || !strings.Contains(against.objects[2].Variants[1].Diff, "+  k: v\n") {
		t.Errorf("against c003: %+v", against.objects)
	}
	failed := compareAll(t.Context(), t, f, fleet.CompareRequest{Against: "c004", Ignore: []string{"data.k"}})
	if failed.totals.Differing != 0 || failed.totals.Equal != 2 {
		t.Errorf("ignoring what differs: %+v", failed.totals)
	}
}

func TestAnObjectOrTypeThatACLusterLacksIsMissing(t *testing.T) {
	f := many(t, 3, func(c int, w http.ResponseWriter, r *http.Request) {
		maps := map[string]string{"web": `{}`}
		if c == 1 {
			maps = nil
		}
		serveMaps(w, r, maps)
	})
	q := configMaps()
	q.Namespace, q.Name = "ns", "web"
	got := compareAll(t.Context(), t, f, fleet.CompareRequest{Query: q})
	if len(got.objects) != 1 || !cmp.Equal(got.objects[0].Missing, []string{"c001"}) || got.totals.MissingSomewhere != 1 {
		t.Errorf("%+v, %+v", got.objects, got.totals)
	}
	var s fleet.Summary
	for _, c := range got.clusters {
		s.Compare(c)
	}
	if s.Succeeded != 3 || s.Failed != 0 || s.Items != 2 {
		t.Errorf("summary: %+v", s)
	}
	q = cluster.Query{Type: cluster.TypeName{Group: "example.com", Version: "v1", Name: "widgets"}}
	unserved := many(t, 2, func(c int, w http.ResponseWriter, r *http.Request) {
		if c == 0 && strings.HasSuffix(r.URL.Path, "/widgets") {
			fmt.Fprint(w, `{"kind":"WidgetList","apiVersion":"example.com/v1","metadata":{},"items":[{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}}]}`)
			return
		}
		unknownPath(w, r)
	})
	got = compareAll(t.Context(), t, unserved, fleet.CompareRequest{Query: q})
	if len(got.objects) != 1 || !cmp.Equal(got.objects[0].Missing, []string{"c001"}) || got.clusters["c001"].End.Err == nil {
		t.Errorf("%+v, %+v", got.objects, got.clusters["c001"])
	}
}

// unknownPath answers as an API server that serves no types does, or does not have what was asked for.
func unknownPath(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api", "/apis":
		fmt.Fprint(w, `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[]}`)
	default:
		http.NotFound(w, r)
	}
}

func TestAServerThatIsNoAPIServerLacksNothing(t *testing.T) {
	f := many(t, 3, func(c int, w http.ResponseWriter, r *http.Request) {
		if c == 2 {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<html>default backend - 404</html>")
			return
		}
		serveMaps(w, r, map[string]string{"a": `{"k":"v"}`})
	})
	single := configMaps()
	single.Namespace, single.Name = "ns", "a"
	for _, q := range []cluster.Query{configMaps(), single} {
		got := compareAll(t.Context(), t, f, fleet.CompareRequest{Query: q})
		if c := got.clusters["c002"]; c.TakesPart() || c.End.Err.Reason != cluster.MalformedResponse || len(got.objects) != 0 || got.totals.Equal != 1 {
			t.Errorf("%+v, %+v, %+v", c.End.Err, got.objects, got.totals)
		}
	}
}

func TestAComparisonThatMakesNoSenseIsRefused(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	names := sim.Names()
	for field, r := range map[string]fleet.CompareRequest{
		"ignore[1]":     {Query: configMaps(), Ignore: []string{"spec", "spec["}},
		"resource_type": {},
		"against":       {Query: configMaps(), Against: names[0], Selector: fleet.Selector{Names: names[1:]}},
	} {
		_, err := f.Compare(t.Context(), r)
		if e, ok := errors.AsType[*fleet.RequestError](err); !ok || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	_, err := f.Compare(t.Context(), fleet.CompareRequest{Query: configMaps(), Against: "nobody"})
	if _, unknown := errors.AsType[*fleet.UnknownClusterError](err); !unknown {
		t.Errorf("got %v", err)
	}
	long := make([]cluster.Definition, 12_000)
	for i := range long {
		long[i] = cluster.Definition{Name: fmt.Sprintf("%0253d", i), Virtual: true}
	}
	if _, err := fleettest.Of(t, long, fleet.Options{}).Compare(t.Context(), fleet.CompareRequest{Query: configMaps()}); err == nil {
		t.Error("more names than fit into a message are taken")
	}
	if _, err := fleettest.Of(t, long[:10_000], fleet.Options{}).Compare(t.Context(), fleet.CompareRequest{Query: configMaps()}); err != nil {
		t.Errorf("10,000 clusters: %v", err)
	}
}

// TestDiffsLeaveRoomForNames has as many clusters with the longest names as fit.
func TestDiffsLeaveRoomForNames(t *testing.T) {
	definitions := answeredBy(t, 12, func(c int, w http.ResponseWriter, r *http.Request) {
		serveMaps(w, r, map[string]string{"web": `{"k":"` + strings.Repeat(fmt.Sprintf(`%d is what a line of it says\n`, c), 8000) + `"}`})
	})
	const names = 9_500
	for i := range names {
		definitions = append(definitions, cluster.Definition{Name: fmt.Sprintf("v%0252d", i), Virtual: true})
	}
	got := compareAll(t.Context(), t, fleettest.Of(t, definitions, fleet.Options{}), fleet.CompareRequest{Query: configMaps()})
	bytes, without := 0, 0
	for _, v := range got.objects[0].Variants[1:] {
		bytes += len(v.Diff)
		if v.Omitted == "the message has no room" {
			without++
		}
	}
	if room := 4<<20 - names*(253+64+8); bytes < 256<<10 || bytes > room || without == 0 {
		t.Errorf("%d bytes of diffs where there is room for %d, %d without", bytes, room, without)
	}
}

// TestWhatIsNotKeptIsReadAgain has objects that are too large to be kept.
func TestWhatIsNotKeptIsReadAgain(t *testing.T) {
	var reads, changed atomic.Int64
	large := noise(1200 << 10)
	f := many(t, 3, func(c int, w http.ResponseWriter, r *http.Request) {
		maps := map[string]string{}
		for i := range 2 {
			maps[fmt.Sprint("o", i)] = fmt.Sprintf(`{"k":"%d","noise":%s}`, c, large)
		}
		if strings.Contains(r.URL.Path, "configmaps/") && reads.Add(1) > 0 && changed.Load() > 0 {
			switch c {
			case 1:
				maps["o1"] = `{"k":"changed"}`
			case 2:
				delete(maps, "o1")
			}
		}
		serveMaps(w, r, maps)
	})
	got := compareAll(t.Context(), t, f, fleet.CompareRequest{})
	for _, o := range got.objects {
		for _, v := range o.Variants[1:] {
			if !strings.Contains(v.Diff, "\n-  k: \"0\"\n+  k: ") || v.Omitted != "" {
				t.Errorf("%s in %v: %q, %d bytes", o.Name, v.Clusters, v.Omitted, len(v.Diff))
			}
		}
	}
	if len(got.objects) != 2 || reads.Load() != 6 {
		t.Errorf("%d objects, %d reads", len(got.objects), reads.Load())
	}
	changed.Store(1)
	got = compareAll(t.Context(), t, f, fleet.CompareRequest{})
	for i, v := range got.objects[1].Variants[1:] {
		if want := fmt.Sprint("it has changed since in c00", i+1); v.Diff != "" || v.Omitted != want {
			t.Errorf("%v: %q, want %q", v.Clusters, v.Omitted, want)
		}
	}
}

// TestAClusterThatFailsWhenItIsReadAgainIsNotAskedTwice counts the requests to it.
func TestAClusterThatFailsWhenItIsReadAgainIsNotAskedTwice(t *testing.T) {
	var again atomic.Int64
	large := noise(1450 << 10)
	f := many(t, 2, func(c int, w http.ResponseWriter, r *http.Request) {
		if c == 1 && strings.Contains(r.URL.Path, "configmaps/") {
			again.Add(1)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		maps := map[string]string{}
		for i := range 4 {
			maps[fmt.Sprint("o", i)] = fmt.Sprintf(`{"k":"%d","noise":%s}`, c, large)
		}
		serveMaps(w, r, maps)
	})
	got := compareAll(t.Context(), t, f, fleet.CompareRequest{})
	for _, o := range got.objects {
		if v := o.Variants[1]; v.Omitted != "it could not be read again in c001" {
			t.Errorf("%s: %+v", o.Name, v)
		}
	}
	if n := again.Load(); len(got.objects) != 4 || n > 3 {
		t.Errorf("%d objects, %d requests", len(got.objects), n)
	}
}

// noise is a JSON string of n bytes in lines that cannot be compressed.
func noise(n int) string {
	random := make([]byte, n*3/4)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	var b strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(random)), 100) {
		b.Write(line)
		b.WriteString(`\n`)
	}
	return `"` + b.String() + `"`
}

func TestWhyThereIsNoDiffIsSaid(t *testing.T) {
	number, large := "1"+strings.Repeat("0", 400), `"`+strings.Repeat("x", 1600<<10)+`"`
	for want, forms := range map[string][2]string{
		"the object cannot be shown as YAML":   {`"v"`, number},
		"the baseline cannot be shown as YAML": {number, `"v"`},
		"the object is too large":              {`"v"`, large},
		"the baseline is too large":            {large, `"v"`},
	} {
		f := many(t, 2, func(c int, w http.ResponseWriter, r *http.Request) {
			serveMaps(w, r, map[string]string{"a": `{"k":` + forms[c] + `}`})
		})
		got := compareAll(t.Context(), t, f, fleet.CompareRequest{})
		if v := got.objects[0].Variants[1]; v.Diff != "" || v.Omitted != want {
			t.Errorf("%d bytes of diff, %q, want %q", len(v.Diff), v.Omitted, want)
		}
		if got.totals.Untold != 0 {
			t.Errorf("%+v", got.totals)
		}
	}
}
