package test_test

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// exits checks the exit code of a command and that stdout and stderr hold what they should; an empty text is not looked
// for.
func exits(t *testing.T, r process.Result, code int, stdout, stderr string) {
	t.Helper()
	if r.Code != code || !strings.Contains(r.Stdout, stdout) || !strings.Contains(r.Stderr, stderr) {
		t.Errorf("got exit code %d, stdout\n%s\nstderr\n%s\nwant %d, %q, %q", r.Code, r.Stdout, r.Stderr, code, stdout, stderr)
	}
}

// interrupted is the exit code of fleetctl after SIGINT.
const interrupted = 130

// interrupt ends a fleetctl command that goes on until then.
func interrupt(t *testing.T, p *process.Process) {
	t.Helper()
	p.Signal(t, syscall.SIGINT)
	if code := p.Wait(t, 10*time.Second); code != interrupted {
		t.Errorf("exit code %d after SIGINT: %s", code, p.Stderr)
	}
}

// probe runs `fleetctl probe -o json` and returns the results by cluster, and the summary.
func probe(t *testing.T, a *product.Aggregator, code int, args ...string) (map[string]*fleetv1.ProbeResult, *fleetv1.Summary) {
	t.Helper()
	r := a.Fleetctl(t, append([]string{"probe", "-o", "json"}, args...)...)
	exits(t, r, code, "", "")
	var document struct {
		Items   []json.RawMessage
		Summary json.RawMessage
	}
	if err := json.Unmarshal([]byte(r.Stdout), &document); err != nil {
		t.Fatalf("%v in %s\n%s", err, r.Stdout, r.Stderr)
	}
	results := make(map[string]*fleetv1.ProbeResult, len(document.Items))
	for _, item := range document.Items {
		result := &fleetv1.ProbeResult{}
		if err := protojson.Unmarshal(item, result); err != nil {
			t.Fatalf("%v in %s", err, item)
		}
		results[result.GetCluster()] = result
	}
	summary := &fleetv1.Summary{}
	if err := protojson.Unmarshal(document.Summary, summary); err != nil {
		t.Fatal(err)
	}
	return results, summary
}

// verdict checks the state and reason of a cluster, and that the status beside it says the same.
func verdict(t *testing.T, r *fleetv1.ProbeResult, state fleetv1.Verdict_State, reason fleetv1.Verdict_Reason) {
	t.Helper()
	v := r.GetObservation().GetVerdict()
	if v.GetState() != state || v.GetReason() != reason {
		t.Errorf("%s: got %s, %s: %s; want %s, %s", r.GetCluster(), v.GetState(), v.GetReason(), v.GetMessage(), state, reason)
	}
	if got, want := client.Reason(client.StatusError(r.GetError())), strings.TrimPrefix(reason.String(), "REASON_"); reason != 0 && got != want {
		t.Errorf("%s: got an error with reason %q, want %s", r.GetCluster(), got, want)
	}
	if reason != 0 && (v.GetMessage() == "" || v.GetHint() == "" || v.GetBlame() == 0) {
		t.Errorf("%s: no message, hint or blame: %v", r.GetCluster(), v)
	}
}

// read is what a fetch brought from one cluster.
type read struct {
	objects    []*fleetv1.Manifest
	batches    int
	columns    []*fleetv1.Table_Column
	rows       []*fleetv1.Table_Row
	completion *fleetv1.Completion
	apiVersion string
	kind       string
}

// add takes in one batch.
func (r *read) add(t *testing.T, b *fleetv1.ManifestBatch) {
	t.Helper()
	if r.completion != nil {
		t.Errorf("%s: a batch after its completion", b.GetCluster())
	}
	if b.GetApiVersion() != "" {
		r.apiVersion, r.kind = b.GetApiVersion(), b.GetKind()
	}
	r.objects = append(r.objects, b.GetManifests()...)
	r.columns = append(r.columns, b.GetTable().GetColumns()...)
	r.rows = append(r.rows, b.GetTable().GetRows()...)
	r.batches++
	r.completion = b.GetCompletion()
}

// fetch reads to the end of a fetch that must not fail as a whole, and returns what came by cluster.
func fetch(t *testing.T, a *product.Aggregator, request *fleetv1.FetchManifestsRequest) (map[string]*read, *fleetv1.Summary) {
	t.Helper()
	stream := a.Client(t).FetchManifests(t.Context(), request)
	reads := map[string]*read{}
	for batch, err := range stream.Results() {
		if err != nil {
			t.Fatal(err)
		}
		if reads[batch.GetCluster()] == nil {
			reads[batch.GetCluster()] = &read{}
		}
		reads[batch.GetCluster()].add(t, batch)
	}
	return reads, stream.Summary()
}

// decoded returns the objects of a read.
func (r *read) decoded(t *testing.T) []object {
	t.Helper()
	objects := make([]object, len(r.objects))
	for i, m := range r.objects {
		if err := json.Unmarshal([]byte(m.GetJson()), &objects[i]); err != nil {
			t.Fatalf("%s/%s: %v", m.GetNamespace(), m.GetName(), err)
		}
	}
	return objects
}

// reason returns the reason of the read's error, empty if there is none.
func (r *read) reason() string {
	return client.Reason(client.StatusError(r.completion.GetError()))
}
