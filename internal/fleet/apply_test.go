package fleet_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// probeAll returns the results by cluster.
func probeAll(ctx context.Context, t *testing.T, f *fleet.Fleet, r fleet.ProbeRequest) map[string]fleet.ProbeResult {
	t.Helper()
	run, err := f.Probe(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	results := make(map[string]fleet.ProbeResult)
	for r := range run.Results {
		if _, again := results[r.Cluster]; again {
			t.Errorf("%s came twice", r.Cluster)
		}
		results[r.Cluster] = r
	}
	if len(results) != run.Expected {
		t.Errorf("%d results, %d expected", len(results), run.Expected)
	}
	return results
}

func TestApplyKeepsWhatHasNotChangedAndClosesTheRest(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 4})
	names := sim.Names()
	probeAll(t.Context(), t, f, fleet.ProbeRequest{Depth: cluster.Quick})
	kept, replaced := f.Client(names[0]), f.Client(names[1])

	definitions := fleettest.Definitions(t, sim) // equal, but not the same
	definitions[1].Namespace = "moved"
	if err := f.Apply(definitions[:3]); err != nil {
		t.Fatal(err)
	}
	if f.Client(names[0]) != kept || f.Client(names[1]) == replaced || f.Size() != 3 {
		t.Error("Apply has kept or replaced the wrong client")
	}
	if n := f.Traces(); n != 2 {
		t.Errorf("%d observations are kept, want those of the two clusters that stayed as they were", n)
	}
	for _, name := range names[:3] {
		c, err := f.Cluster(name)
		if err != nil {
			t.Fatal(err)
		}
		if known := c.Latest != nil; known != (name != names[1]) {
			t.Errorf("%s: an observation is known: %v", name, known)
		}
	}
	awaitConnections(t, sim, names[1], 0)
	awaitConnections(t, sim, names[3], 0)
	probeAll(t.Context(), t, f, fleet.ProbeRequest{Depth: cluster.Quick})
	if s, _ := sim.ClusterStats(names[0]); s.AcceptedConnections != 1 {
		t.Errorf("the cluster that stayed has seen %d connections", s.AcceptedConnections)
	}
}

func TestApplyLeavesOutWhatCannotBeUsed(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 3})
	definitions := fleettest.Definitions(t, sim)
	broken := definitions[1]
	broken.Config = rest.CopyConfig(broken.Config)
	broken.Config.Host = "https://exa mple:%zz"
	definitions[1] = broken
	definitions = append(definitions, definitions[0])

	f := fleet.New(fleet.Options{})
	defer f.Close()
	err := f.Apply(definitions)
	if err == nil {
		t.Fatal("nothing was reported")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], broken.Name) || !strings.Contains(lines[1], definitions[0].Name) {
		t.Errorf("reported:\n%v", err)
	}
	results := probeAll(t.Context(), t, f, fleet.ProbeRequest{})
	if len(results) != 2 {
		t.Errorf("%d clusters are left", len(results))
	}
	for name, r := range results {
		if r.Err != nil || r.Observation.Verdict.State != cluster.Healthy {
			t.Errorf("%s: %+v", name, r.Observation.Verdict)
		}
	}
}

func TestAClusterRemovedDuringItsProbeLeavesNoTrace(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 20, Latency: simulator.Constant(20e6)})
	definitions := fleettest.Definitions(t, sim)
	var both sync.WaitGroup
	both.Go(func() { probeAll(t.Context(), t, f, fleet.ProbeRequest{Depth: cluster.Quick}) })
	both.Go(func() {
		for i := range definitions {
			if err := f.Apply(definitions[i:]); err != nil {
				t.Error(err)
			}
		}
		if err := f.Apply(nil); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
	if n := f.Traces(); n != 0 || f.Size() != 0 {
		t.Errorf("%d observations and %d clusters are left", n, f.Size())
	}
}

func TestSelectorsNarrowByNameLabelAndState(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 30, OwnPorts: true})
	names := sim.Names()
	fleettest.SetFault(t, sim, names[3], simulator.Fault{Kind: simulator.Refuse})
	fleettest.SetFault(t, sim, names[4], simulator.Fault{Kind: simulator.Unauthorized})
	probeAll(t.Context(), t, f, fleet.ProbeRequest{Selector: fleet.Selector{Names: names[:5]}})

	labelled := func(key, value string) (found []string) {
		all, err := f.Clusters(fleet.Selector{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.Definition.Labels[key] == value {
				found = append(found, c.Definition.Name)
			}
		}
		return found
	}
	env := labels(t, f, names[0])["env"]
	for _, test := range []struct {
		about    string
		selector fleet.Selector
		want     []string
	}{
		{"nothing", fleet.Selector{}, names},
		{"names, unordered and repeated", fleet.Selector{Names: []string{names[7], names[2], names[7]}}, []string{names[2], names[7]}},
		{"a label", fleet.Selector{Labels: "env=" + env}, labelled("env", env)},
		{"a label that nobody has", fleet.Selector{Labels: "env=nowhere"}, nil},
		{"a label without which nobody is", fleet.Selector{Labels: "!env"}, nil},
		{"a state", fleet.Selector{States: []cluster.State{cluster.Unreachable}}, names[3:4]},
		{"two states", fleet.Selector{States: []cluster.State{cluster.Unauthorized, cluster.Unreachable}}, names[3:5]},
		{"what was never probed", fleet.Selector{States: []cluster.State{cluster.Unknown}}, names[5:]},
		{"all together", fleet.Selector{Names: names[:5], Labels: "env", States: []cluster.State{cluster.Healthy}}, names[:3]},
	} {
		t.Run(test.about, func(t *testing.T) {
			clusters, err := f.Clusters(test.selector)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range clusters {
				got = append(got, c.Definition.Name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func labels(t *testing.T, f *fleet.Fleet, name string) map[string]string {
	t.Helper()
	c, err := f.Cluster(name)
	if err != nil {
		t.Fatal(err)
	}
	return c.Definition.Labels
}

func TestUnknownNamesAreNamedButNotWithoutEnd(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	_, err := f.Clusters(fleet.Selector{Names: []string{"there-is-none", sim.Names()[0], "bad\x1b[31m\nname"}})
	unknown, ok := errors.AsType[*fleet.UnknownClusterError](err)
	if !ok || !slices.Equal(unknown.Names, []string{"there-is-none", "bad\x1b[31m\nname"}) {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "there-is-none") || strings.ContainsAny(text, "\x1b\n") {
		t.Errorf("text: %q", text)
	}
	_, err = f.Clusters(fleet.Selector{Names: slices.Repeat([]string{strings.Repeat("x", 10_000)}, 10_000)})
	if text := err.Error(); len(text) > 2000 || !strings.Contains(text, "9995 more") {
		t.Errorf("%d bytes of text: %.100s", len(text), text)
	}
}

func TestASelectorThatDoesNotParseIsTheRequestsFault(t *testing.T) {
	f := fleet.New(fleet.Options{})
	_, err := f.Probe(t.Context(), fleet.ProbeRequest{Selector: fleet.Selector{Labels: "env in (prod"}})
	bad, ok := errors.AsType[*fleet.RequestError](err)
	if !ok || bad.Field != "selector.label_selector" {
		t.Errorf("got %v", err)
	}
}
