// Package fleettest gives tests a fleet of simulated API servers: real sockets, real TLS, scripted faults.
package fleettest

import (
	"path/filepath"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
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

// Definitions returns the definitions of the simulated clusters, read from their kubeconfig.
func Definitions(t testing.TB, sim *simulator.Fleet) []cluster.Definition {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := sim.WriteKubeconfig(path); err != nil {
		t.Fatal(err)
	}
	definitions, problems := kubeconfig.Load([]string{path}, kubeconfig.Options{})
	for _, problem := range problems {
		t.Error(problem)
	}
	return definitions
}

// OnlyConfigMaps lets a cluster hold n ConfigMaps and nothing else: large objects of every type take long to make.
func OnlyConfigMaps(n int) map[string]int {
	counts := simulator.DefaultCounts()
	for name := range counts {
		counts[name] = 0
	}
	counts["namespaces"], counts["configmaps"] = 1, n
	return counts
}

// SetFault breaks a cluster.
func SetFault(t testing.TB, sim *simulator.Fleet, name string, fault simulator.Fault) {
	t.Helper()
	if err := sim.SetFault(name, fault); err != nil {
		t.Fatal(err)
	}
}
