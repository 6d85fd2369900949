package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestACallerWhoLeavesEndsAComparisonInEachPhase(t *testing.T) {
	f := many(t, 4, func(c int, w http.ResponseWriter, r *http.Request) {
		maps := map[string]string{}
		for i := range 100 {
			maps[fmt.Sprint("o", i)] = fmt.Sprintf(`{"k":"%d"}`, c)
		}
		serveMaps(w, r, maps)
	})
	for about, enough := range map[string]func(fleet.Compared) bool{
		"while reading": func(c fleet.Compared) bool { return c.Cluster != nil },
		"while telling": func(c fleet.Compared) bool { return c.Object != nil },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		run, err := f.Compare(ctx, fleet.CompareRequest{Query: configMaps()})
		if err != nil {
			t.Fatal(err)
		}
		after := 0
		for event := range run.Results {
			if ctx.Err() != nil {
				after++
			}
			if event.Totals != nil {
				t.Errorf("%s: there are totals", about)
			}
			if enough(event) {
				cancel()
			}
		}
		cancel()
		if after > 4 || !f.Idle() {
			t.Errorf("%s: %d events came after the caller had left", about, after)
		}
		run, err = f.Compare(t.Context(), fleet.CompareRequest{Query: configMaps()})
		if err != nil {
			t.Fatal(err)
		}
		for event := range run.Results {
			if enough(event) {
				break
			}
		}
		if !f.Idle() {
			t.Errorf("%s: something is held after a break", about)
		}
	}
}

// TestNothingIsToldAfterTheTimeButHowMuchItIs has a caller who reads the first object and then nothing until the time is over.
func TestNothingIsToldAfterTheTimeButHowMuchItIs(t *testing.T) {
	t.Parallel()
	const each = 300
	f := many(t, 3, func(c int, w http.ResponseWriter, r *http.Request) {
		maps := map[string]string{"same": `{}`}
		for i := range each {
			maps[fmt.Sprintf("o-%d-%d", c, i)] = `{"k":"v"}`
		}
		serveMaps(w, r, maps)
	})
	for all, wanted := range map[bool]int{false: 3 * each, true: 3*each + 1} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		run, err := f.Compare(ctx, fleet.CompareRequest{Query: configMaps(), IncludeEqual: all})
		if err != nil {
			t.Fatal(err)
		}
		told, clusters := 0, 0
		var totals *fleet.ComparedTotals
		for event := range run.Results {
			switch {
			case event.Cluster != nil:
				clusters++
			case event.Object != nil:
				told++
				<-ctx.Done()
			default:
				totals = event.Totals
			}
		}
		if told != 1 || clusters != 3 || totals == nil || totals.Untold != wanted-1 || totals.Objects != 3*each+1 || totals.Equal != 1 || totals.MissingSomewhere != 3*each || totals.Cut {
			t.Errorf("%d objects were told of %+v", told, totals)
		}
		if !f.Idle() {
			t.Error("something is still held")
		}
	}
}

func TestAtTheEndOfTheTimeWhatWasReadIsCompared(t *testing.T) {
	f := many(t, 4, func(c int, w http.ResponseWriter, r *http.Request) {
		if c == 3 {
			<-r.Context().Done()
			return
		}
		serveMaps(w, r, map[string]string{"web": fmt.Sprintf(`{"k":"%d"}`, c/2)})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	got := compareAll(ctx, t, f, fleet.CompareRequest{})
	if ctx.Err() != nil {
		t.Error("no time was left for telling")
	}
	if len(got.objects) != 1 || len(got.objects[0].Variants) != 2 || got.objects[0].Variants[1].Diff == "" || len(got.objects[0].Missing) != 0 {
		t.Errorf("%+v", got.objects)
	}
	if e := got.clusters["c003"].End.Err; e == nil || e.Reason != cluster.ResponseTimeout || !got.totals.Cut {
		t.Errorf("%+v, %+v", e, got.totals)
	}
}
