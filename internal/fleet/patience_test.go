package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// deferring is a fleet whose first clusters answer once most of the others have been read.
type deferring struct {
	silent, living int
	read           atomic.Int64 // of the living
	metrics        *prometheus.Registry
}

func (d *deferring) fleet(t *testing.T, limit int) *fleet.Fleet {
	t.Helper()
	d.metrics = prometheus.NewRegistry()
	whole := make(chan struct{})
	asked := make([]atomic.Bool, d.silent+d.living)
	definitions := answeredBy(t, d.silent+d.living, func(i int, w http.ResponseWriter, r *http.Request) {
		if i < d.silent {
			select {
			case <-whole:
			case <-r.Context().Done():
				panic(http.ErrAbortHandler) // an answer might still come through
			}
		} else if !asked[i].Swap(true) && int(d.read.Add(1)) == d.living/2 {
			defer close(whole)
		}
		if strings.Contains(r.URL.Path, "configmaps") {
			serveMaps(w, r, map[string]string{"a": `{}`})
			return
		}
		fmt.Fprint(w, `{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{},"items":[]}`)
	})
	return fleettest.Of(t, definitions, fleet.Options{Limit: limit, Metrics: d.metrics})
}

// TestTheSilentDoNotDelayTheLiving has clusters in all places of a call that answer only once others were read: without
// leaving their places, none would ever be.
func TestTheSilentDoNotDelayTheLiving(t *testing.T) {
	t.Parallel()
	ends := map[string]func(t *testing.T, f *fleet.Fleet) map[string]*fleet.End{
		"fetch": func(t *testing.T, f *fleet.Fleet) map[string]*fleet.End {
			t.Helper()
			all := map[string]*fleet.End{}
			for name, got := range fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()}) {
				all[name] = got.end
				mustBeAll(t, got, 1)
			}
			return all
		},
		"compare": func(t *testing.T, f *fleet.Fleet) map[string]*fleet.End {
			t.Helper()
			all := map[string]*fleet.End{}
			got := compareAll(t.Context(), t, f, fleet.CompareRequest{})
			for name, c := range got.clusters {
				all[name] = &c.End
			}
			if got.totals.Objects != 1 || got.totals.Equal != 1 {
				t.Errorf("compared: %+v", got.totals)
			}
			return all
		},
		"hibernation": func(t *testing.T, f *fleet.Fleet) map[string]*fleet.End {
			t.Helper()
			all := map[string]*fleet.End{}
			surveys, _ := summarize(t.Context(), t, f, fleet.HibernationRequest{})
			for name, s := range surveys {
				all[name] = s.end
			}
			return all
		},
	}
	for call, read := range ends {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			f := (&deferring{silent: 2, living: 8}).fleet(t, 2)
			for name, end := range read(t, f) {
				if end == nil || end.Err != nil {
					t.Errorf("%s ended with %+v", name, end)
				}
			}
			if !f.Idle() {
				t.Error("something is still held")
			}
		})
	}
}

func TestASilentClusterWhoseTurnDoesNotComeAgainSaysHowFarItWas(t *testing.T) {
	t.Parallel()
	d := &deferring{silent: 4, living: 1}
	f := d.fleet(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	end := fetchAll(ctx, t, f, fleet.FetchRequest{Query: configMaps()})["c000"].end
	e := end.Err
	if e == nil || e.Reason != cluster.ResponseTimeout || e.Phase != cluster.PhaseWait || e.Blame != cluster.BlameObserver || !errors.Is(e, fanout.ErrPostponed) {
		t.Errorf("it ended with %+v", e)
	}
	if end.Duration < time.Second || end.Queued < time.Second || end.Queued+end.Duration < 9*time.Second {
		t.Errorf("queued %v, took %v", end.Queued, end.Duration)
	}
	if n := gathered(t, d.metrics)["reads_postponed_total{}"]; n != 1 {
		t.Errorf("%v reads were postponed", n)
	}
}

// TestASlowClusterIsNotTakenForSilent has a cluster that took long to answer before, and does again.
func TestASlowClusterIsNotTakenForSilent(t *testing.T) {
	t.Parallel()
	var left atomic.Int64
	definitions := answeredBy(t, 3, func(i int, w http.ResponseWriter, r *http.Request) {
		if i == 0 {
			select {
			case <-time.After(5 * time.Second):
			case <-r.Context().Done():
				left.Add(1)
			}
		}
		serveMaps(w, r, nil)
	})
	f := fleettest.Of(t, definitions, fleet.Options{})
	for _, limit := range []int{3, 1} { // in the first call nobody waits
		for name, got := range fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), Limit: limit}) {
			if got.end.Err != nil {
				t.Errorf("%d at once, %s: %v", limit, name, got.end.Err)
			}
		}
	}
	if n := left.Load(); n != 0 {
		t.Errorf("it was left %d times", n)
	}
}
