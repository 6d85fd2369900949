package fleet_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// serving returns a fleet of one cluster, an API server that answers everything with the handler.
func serving(t *testing.T, handler http.HandlerFunc) *fleet.Fleet {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	return fleettest.Of(t, []cluster.Definition{{Name: "odd", Config: &rest.Config{
		Host:            server.URL,
		TLSClientConfig: rest.TLSClientConfig{CAData: encodeCertificate(server)},
	}}}, fleet.Options{})
}

func answering(t *testing.T, body func(io.Writer)) *fleet.Fleet {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body(w)
	})
}

func list(items string) func(io.Writer) {
	return func(w io.Writer) {
		fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[%s]}`, items)
	}
}

// A batch has to fit into a message whatever a cluster sends, or one cluster would end the call for all.
func TestNoClusterCanMakeABatchThatIsTooLargeToSend(t *testing.T) {
	longName := strings.Repeat("n", 3<<20)
	tiny := strings.TrimSuffix(strings.Repeat(`{},`, 200_000), ",")
	tinyRows := strings.TrimSuffix(strings.Repeat(`{"cells":["",""]},`, 100_000), ",")
	for _, test := range []struct {
		about  string
		format cluster.Format
		body   func(io.Writer)
		want   cluster.Reason
	}{
		{"a name of 3 MiB", cluster.FullFormat, list(`{"metadata":{"name":"` + longName + `"}}`), cluster.MalformedResponse},
		{"a namespace of 3 MiB", cluster.FullFormat, list(`{"metadata":{"namespace":"` + longName + `"}}`), cluster.MalformedResponse},
		{"a kind of 3 MiB", cluster.FullFormat, func(w io.Writer) {
			fmt.Fprintf(w, `{"kind":"%sList","apiVersion":"v1","items":[{}]}`, longName)
		}, cluster.MalformedResponse},
		{"a resource version of 3 MiB", cluster.FullFormat, func(w io.Writer) {
			fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","items":[],"metadata":{"resourceVersion":"%s"}}`, longName)
		}, cluster.MalformedResponse},
		{"an object of 5 MiB", cluster.FullFormat, list(`{"data":{"a":"` + strings.Repeat("x", 5<<20) + `"}}`), cluster.ResponseTooLarge},
		{"an object of 3.9 MiB", cluster.FullFormat, list(`{"data":{"a":"` + strings.Repeat("x", 3900<<10) + `"}}`), ""},
		{"200,000 empty objects", cluster.FullFormat, list(tiny), ""},
		{"100,000 empty rows", cluster.TableFormat, func(w io.Writer) {
			fmt.Fprintf(w, `{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[{"name":"A"},{"name":"B"}],"rows":[%s]}`, tinyRows)
		}, ""},
		{"columns of 3 MiB and a row of 3 MiB", cluster.TableFormat, func(w io.Writer) {
			fmt.Fprintf(w, `{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[{"description":"%s"}],"rows":[{"cells":["%s"]}]}`, longName, longName)
		}, ""},
	} {
		t.Run(test.about, func(t *testing.T) {
			f := answering(t, test.body)
			q := configMaps()
			q.Format = test.format
			run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: q})
			if err != nil {
				t.Fatal(err)
			}
			for b := range run.Results {
				if size := sizeOf(b); size > 4<<20-16<<10 {
					t.Errorf("a batch of %d objects and %d rows has %d bytes", len(b.Items), len(b.Rows), size)
				}
				if n := len(b.Items) + len(b.Rows); n > 4096 {
					t.Errorf("a batch has %d entries", n)
				}
				if b.End == nil {
					continue
				}
				var got cluster.Reason
				if b.End.Err != nil {
					got = b.End.Err.Reason
				}
				if got != test.want {
					t.Errorf("ended with %q, want %q: %v", got, test.want, b.End.Err)
				}
			}
		})
	}
}

// sizeOf is about what a batch takes in a message.
func sizeOf(b *fleet.Batch) int {
	n := len(b.Cluster) + len(b.APIVersion) + len(b.Kind)
	for _, i := range b.Items {
		n += len(i.JSON) + len(i.Name) + len(i.Namespace) + 16
	}
	for _, c := range b.Columns {
		n += len(c.Name) + len(c.Type) + len(c.Format) + len(c.Description) + 16
	}
	for _, r := range b.Rows {
		n += len(r.Name) + len(r.Namespace) + 8
		for _, c := range r.Cells {
			n += len(c) + 6
		}
	}
	if b.End != nil {
		n += len(b.End.ResourceVersion)
	}
	return n
}

func TestAListInPlaceOfOneObjectIsMalformed(t *testing.T) {
	for _, items := range []string{"", `{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}`} {
		f := answering(t, list(items))
		q := configMaps()
		q.Namespace, q.Name = "default", "a"
		got := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: q})["odd"]
		if e := got.end.Err; e == nil || e.Reason != cluster.MalformedResponse {
			t.Errorf("%d objects: %v", strings.Count(items, "name"), e)
		}
	}
}

func TestAStatusInPlaceOfAListIsWhatItSays(t *testing.T) {
	f := answering(t, func(w io.Writer) {
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":429,"reason":"TooManyRequests","details":{"retryAfterSeconds":2147483648}}`)
	})
	e := fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()})["odd"].end.Err
	if e == nil || e.Reason != cluster.Throttled || e.RetryAfter != 60e9 {
		t.Errorf("got %+v", e)
	}
}

func TestObjectsDoNotWaitForTheNextPage(t *testing.T) {
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	f := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("continue") == "" {
			fmt.Fprint(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"more"},"items":[{"metadata":{"name":"a"}}]}`)
			return
		}
		<-hold
		list(`{"metadata":{"name":"b"}}`)(w)
	})
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for b := range run.Results {
		release() // only what the first page brought can have let us come here
		for _, item := range b.Items {
			names = append(names, item.Name)
		}
	}
	if strings.Join(names, " ") != "a b" {
		t.Errorf("got %v", names)
	}
}
