package cluster_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestAReadThatFailsGivesItsPlaceToAnother(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no gzip": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.on("/api/v1/pods", failing)
			client := newClient(t, a.config())
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for i := range 3 * cluster.MaxReads {
				if e := readAll(ctx, t, client, pods); e == nil || e.Phase == cluster.PhaseQueue {
					t.Fatalf("read %d: %v", i, e)
				}
			}
		})
	}
}
