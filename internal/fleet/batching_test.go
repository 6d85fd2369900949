package fleet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// TestTheFirstObjectsComeBeforeManyOthersAreRead has a server that sends some and waits until the caller has them.
func TestTheFirstObjectsComeBeforeManyOthersAreRead(t *testing.T) {
	t.Parallel()
	const some, others = 32, 1200
	object := `{"metadata":{"name":"a","namespace":"ns"},"data":{"a":"` + strings.Repeat("x", 1000) + `"}}`
	taken := make(chan struct{})
	f := many(t, 1, func(_ int, w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[%s`, object+strings.Repeat(","+object, some-1))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-taken:
			fmt.Fprint(w, strings.Repeat(","+object, others)+"]}")
		case <-r.Context().Done():
		}
	})
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	var batches []int // how many objects each has
	for b := range run.Results {
		if len(batches) == 0 {
			close(taken)
		}
		batches = append(batches, len(b.Items))
		if b.End != nil && (b.End.Err != nil || b.End.Items != some+others) {
			t.Errorf("it ended with %+v", b.End)
		}
	}
	if most := 2 + (some+others)/200; len(batches) > most+4 { // which is what whole batches would be, and the smaller ones before
		t.Errorf("%d objects came in batches of %v", some+others, batches)
	}
}
