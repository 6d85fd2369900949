// Package fleettest gives tests a fleet of simulated API servers: real sockets, real TLS, scripted faults.
package fleettest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Simulate starts API servers that end with the test.
func Simulate(t testing.TB, config simulator.Config) *simulator.Fleet {
	t.Helper()
	sim, err := simulator.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

// Start starts API servers and returns them with the fleet of all of them. Both end with the test.
func Start(t testing.TB, config simulator.Config) (*simulator.Fleet, *fleet.Fleet) {
	t.Helper()
	sim := Simulate(t, config)
	return sim, Of(t, Definitions(t, sim), fleet.Options{})
}

// Of returns the fleet of the definitions. It is closed with the test.
func Of(t testing.TB, definitions []cluster.Definition, options fleet.Options) *fleet.Fleet {
	t.Helper()
	f := fleet.New(options)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := f.Apply(definitions); err != nil {
		t.Fatal(err)
	}
	return f
}

// Definitions returns the definitions of the simulated clusters in the order of their names.
func Definitions(t testing.TB, sim *simulator.Fleet) []cluster.Definition {
	t.Helper()
	config, err := clientcmd.Load(sim.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	var definitions []cluster.Definition
	for _, name := range slices.Sorted(maps.Keys(config.Contexts)) {
		rest, err := clientcmd.NewNonInteractiveClientConfig(*config, name, nil, nil).ClientConfig()
		if err != nil {
			t.Fatal(err)
		}
		definitions = append(definitions, cluster.Definition{
			Name:   name,
			Labels: labels(t, config.Contexts[name].Extensions["clusterfleet"]),
			Source: "kubeconfig",
			Config: rest,
		})
	}
	return definitions
}

func labels(t testing.TB, extension runtime.Object) map[string]string {
	t.Helper()
	raw, ok := extension.(*runtime.Unknown)
	if !ok {
		t.Fatalf("the context has the extension %T", extension)
	}
	var content struct {
		Labels map[string]string `json:"labels"`
	}
	if err := json.Unmarshal(raw.Raw, &content); err != nil {
		t.Fatal(err)
	}
	return content.Labels
}

// SetFault breaks a cluster.
func SetFault(t testing.TB, sim *simulator.Fleet, name string, fault simulator.Fault) {
	t.Helper()
	if err := sim.SetFault(name, fault); err != nil {
		t.Fatal(err)
	}
}
