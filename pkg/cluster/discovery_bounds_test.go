package cluster_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// What a server tells of itself costs no more than what is kept of it.
func TestDiscoveryKeepsOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	const open, end = `{"kind":"APIGroupDiscoveryList","items":[`, `{}]}`
	types := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"versions":[{"resources":[`)
		for i := range n {
			fmt.Fprintf(&b, `{"resource":"r%d","responseKind":{"kind":"R"},"scope":"Cluster"},`, i)
		}
		b.WriteString(`{}],"version":"v1"}],"metadata":{"name":"g"}},`)
		return open + b.String() + end
	}
	for name, c := range map[string]struct {
		document string
		want     cluster.Reason
	}{
		"empty groups":      {open + strings.Repeat("{},", 1_390_000) + end, ""},
		"too many groups":   {open + strings.Repeat("{},", 1_500_000) + end, cluster.ResponseTooLarge},
		"as many types":     {types(9_997), ""},
		"too many types":    {types(9_998), cluster.ResponseTooLarge},
		"too many versions": {`{"kind":"APIVersions","versions":["v1"` + strings.Repeat(`,"v1"`, 1000) + `]}`, cluster.ResponseTooLarge},
		"an array":          {`[]`, cluster.MalformedResponse},
		"another shape":     {open + `{"versions":{}}]}`, cluster.MalformedResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, aggregated)
			a.on("/apis", always(200, c.document))
			e := readAll(t.Context(), t, newClient(t, a.config()), cluster.Query{Type: cluster.TypeName{Name: "pods"}})
			if reasonOf(e) != c.want {
				t.Errorf("%+v", e)
			}
		})
	}
}

// Not parallel: it looks at what the whole process allocates.
func TestDiscoveryOfNothingAllocatesNothing(t *testing.T) {
	a := newAPI(t, aggregated)
	document := []byte(`{"kind":"APIGroupDiscoveryList","items":[` + strings.Repeat("{},", 1_390_000) + `{}]}`)
	a.on("/apis", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document) })
	client := newClient(t, a.config())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Name: "pods"}}); e != nil {
		t.Error(e)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
		t.Errorf("%d bytes allocated for %d that say nothing", allocated, len(document))
	}
}
