package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"k8s.io/client-go/rest"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// slowReader is a stream whose caller takes the first object and then nothing until the call's budget is over.
type slowReader struct {
	grpc.ServerStreamingServer[fleetv1.CompareManifestsResponse]

	ctx    context.Context //nolint:containedctx // grpc.ServerStream has it so
	budget context.Context //nolint:containedctx // likewise
	sent   []*fleetv1.CompareManifestsResponse
}

func (s *slowReader) Context() context.Context { return s.ctx }

func (s *slowReader) Send(m *fleetv1.CompareManifestsResponse) error {
	s.sent = append(s.sent, m)
	if m.GetObject() != nil {
		<-s.budget.Done()
	}
	return nil
}

func TestObjectsThatAreNotToldInTimeMakeASummaryThatSaysSo(t *testing.T) {
	t.Parallel()
	const objects = 200
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		of := 0
		if strings.HasPrefix(r.URL.Path, "/b/") {
			of = 1
		}
		var items []string
		for i := range objects {
			items = append(items, fmt.Sprintf(`{"metadata":{"name":"o-%d","namespace":"ns"},"data":{"k":"%d"}}`, i, of))
		}
		fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[%s]}`, strings.Join(items, ","))
	}))
	t.Cleanup(api.Close)
	var definitions []cluster.Definition
	for _, name := range []string{"a", "b"} {
		definitions = append(definitions, cluster.Definition{Name: name, Config: &rest.Config{Host: api.URL + "/" + name, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	budget, end := withBudget(ctx)
	defer end()
	stream := &slowReader{ctx: ctx, budget: budget}
	err := (&manifests{fleet: fleettest.Of(t, definitions, fleet.Options{})}).CompareManifests(&fleetv1.CompareManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"}, IncludeUnreachable: true,
	}, stream)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, m := range stream.sent {
		if m.GetObject() != nil {
			told++
		}
	}
	last := stream.sent[len(stream.sent)-2:]
	totals, summary := last[0].GetTotals(), last[1].GetSummary()
	if told == objects || totals.GetNotTold() != int64(objects-told) || totals.GetDiffering() != objects {
		t.Errorf("%d objects were told, %v", told, totals)
	}
	if !summary.GetDeadlineExceeded() || summary.GetSucceeded() != 2 || summary.GetClusterTime().AsDuration() <= 0 {
		t.Errorf("%v", summary)
	}
}
