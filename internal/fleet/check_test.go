package fleet_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestACheckIsAProbeOfTheMonitor(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	v, err := f.Check(t.Context(), sim.Names()[0], cluster.Full)
	if err != nil || v.State != cluster.Healthy {
		t.Fatalf("%+v, %v", v, err)
	}
	c, err := f.Cluster(sim.Names()[0])
	if err != nil || c.Latest == nil || c.Latest.Source != fleet.Monitor || c.Latest.Verdict != v {
		t.Errorf("the latest observation is %+v, %v", c.Latest, err)
	}
	_, err = f.Check(t.Context(), "nobody", cluster.Quick)
	if _, unknown := errors.AsType[*fleet.UnknownClusterError](err); !unknown {
		t.Errorf("got %v", err)
	}
}

func TestAPanicInACheckIsAnError(t *testing.T) {
	config := &rest.Config{Host: "https://192.0.2.1", Dial: func(context.Context, string, string) (net.Conn, error) { panic("a defect") }}
	f := fleettest.Of(t, []cluster.Definition{{Name: "a", Config: config}}, fleet.Options{})
	for range 2 { // nothing is held by the first
		_, err := f.Check(t.Context(), "a", cluster.Quick)
		if e, ok := errors.AsType[*cluster.Error](err); !ok || e.Reason != cluster.Internal {
			t.Errorf("got %v", err)
		}
	}
}

func TestARelabeledClusterKeepsItsClientAndWhatWasObserved(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 2})
	f := fleettest.Of(t, fleettest.Definitions(t, sim), fleet.Options{})
	name := sim.Names()[0]
	if _, err := f.Check(t.Context(), name, cluster.Quick); err != nil {
		t.Fatal(err)
	}
	before, client := f.Definitions(), f.Client(name)
	again := fleettest.Definitions(t, sim)
	again[0].Labels, again[0].Maintenance = map[string]string{"env": "other"}, true
	if err := f.Apply(again); err != nil {
		t.Fatal(err)
	}
	c, err := f.Cluster(name)
	if err != nil || c.Latest == nil || !c.Definition.Maintenance || c.Definition.Labels["env"] != "other" {
		t.Errorf("%+v, %v", c, err)
	}
	if f.Client(name) != client || f.Definitions()[0].Config != before[0].Config {
		t.Error("it has another client")
	}
	if v, err := f.Check(t.Context(), name, cluster.Quick); err != nil || v.State != cluster.Healthy {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestACallersProbeDoesNotWaitForTheMonitors(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	fleettest.SetFault(t, sim, name, simulator.Fault{Kind: simulator.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	checked := make(chan error, 1)
	go func() {
		_, err := f.Check(ctx, name, cluster.Quick)
		checked <- err
	}()
	await(t, "the monitor's probe has come", func() bool {
		s, _ := sim.ClusterStats(name)
		return s.InFlight == 1
	})
	run, err := f.Probe(t.Context(), fleet.ProbeRequest{Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for r := range run.Results {
		if r.Err != nil || r.Observation.Verdict.Reason != cluster.ResponseTimeout {
			t.Errorf("it waited: %v, %+v", r.Err, r.Observation.Verdict)
		}
	}
	cancel()
	if err := <-checked; err == nil {
		t.Error("the monitor's probe of a cluster that hangs has ended well")
	}
}
