package fleet_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// awaitStill waits until the servers of a caller who does not read have nothing more to send.
func awaitStill(t *testing.T, sim *simulator.Fleet) {
	t.Helper()
	written := int64(-1)
	await(t, "nothing more is read", func() bool {
		<-time.After(300 * time.Millisecond)
		before := written
		written = sim.Stats().BytesWritten
		return written == before
	})
}

func TestACallerWhoDoesNotReadStarvesNoOther(t *testing.T) {
	t.Parallel()
	const clusters = 80 // more than there is memory for at once
	sim, f := fleettest.Start(t, simulator.Config{Clusters: clusters, Counts: fleettest.OnlyConfigMaps(30), ObjectBytes: 40_000})
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps(), Limit: clusters})
	if err != nil {
		t.Fatal(err)
	}
	for range run.Results {
		awaitStill(t, sim)
		if held, share := f.Held(), int64(64<<20); held == 0 || held > share {
			t.Errorf("the call holds %d MiB", held>>20)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for name, got := range fetchAll(ctx, t, f, fleet.FetchRequest{Query: configMaps(), Selector: fleet.Selector{Names: sim.Names()[:2]}}) {
			if got.end.Err != nil || got.end.Items != 30 {
				t.Errorf("%s: another caller got %+v", name, got.end)
			}
		}
		break
	}
	if !f.Idle() {
		t.Error("something is still held")
	}
}

func TestWhatWaitsForTheCallerIsHeldAndNothingElse(t *testing.T) {
	t.Parallel()
	const clusters = 6
	for about, start := range map[string]func(t *testing.T, f *fleet.Fleet, references []fleet.Reference) (next func() bool, leave func()){
		"fetch": func(t *testing.T, f *fleet.Fleet, references []fleet.Reference) (func() bool, func()) {
			t.Helper()
			run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: references[0].Query})
			return pulled(t, run, err)
		},
		"get": func(t *testing.T, f *fleet.Fleet, references []fleet.Reference) (func() bool, func()) {
			t.Helper()
			run, err := f.Get(t.Context(), fleet.GetRequest{References: references})
			return pulled(t, run, err)
		},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			sim, f := fleettest.Start(t, simulator.Config{Clusters: clusters})
			names := sim.Names()
			references := someConfigMaps(t, f, names[0], 1)
			for _, name := range names[1:] {
				r := references[0]
				r.Cluster = name
				references = append(references, r)
			}
			hung := names[clusters-1]
			fleettest.SetFault(t, sim, hung, simulator.Fault{Kind: simulator.Hang})
			next, leave := start(t, f, references)
			defer leave()
			for waiting := clusters - 2; waiting >= 0; waiting-- { // one is taken, and one does not answer
				if !next() {
					t.Fatal("that was the last")
				}
				awaitStill(t, sim)
				if got, want := f.Held(), int64(waiting)*fleet.ReadWeight; got != want {
					t.Errorf("%d bytes are held where %d objects wait, want %d", got, waiting, want)
				}
			}
			leave()
			if !f.Idle() {
				t.Error("something is still held")
			}
		})
	}
}

// pulled starts a run whose results are taken one by one.
func pulled[T any](t *testing.T, run fleet.Run[T], err error) (next func() bool, leave func()) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	pull, stop := iter.Pull(run.Results)
	return func() bool {
		_, ok := pull()
		return ok
	}, stop
}
