package network_test

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

const (
	unknown     = fleetv1.Verdict_STATE_UNKNOWN
	healthy     = fleetv1.Verdict_STATE_HEALTHY
	unreachable = fleetv1.Verdict_STATE_UNREACHABLE
)

// world is a fleet and an aggregator with a network in between.
type world struct {
	*netns.Pair

	fleet *product.Simulation
	// kubeconfig is the fleet's; each of the clusters has an address of its own.
	kubeconfig string
	addresses  map[string]netip.AddrPort
}

// newWorld starts a fleet of so many clusters at the far end of a new link.
func newWorld(t *testing.T, clusters int, scenario string, flags ...string) *world {
	t.Helper()
	w := &world{Pair: netns.NewPair(t), addresses: map[string]netip.AddrPort{}}
	simulation := programs.By(w.Launcher()...).Simulation(t, scenario,
		append([]string{"--network", netns.Fleet, "--clusters", strconv.Itoa(clusters)}, flags...)...)
	simulation.Dial = w.DialFar
	w.fleet, w.kubeconfig = simulation, simulation.Kubeconfig
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		if err != nil {
			t.Fatal(err)
		}
		w.addresses[name] = netip.MustParseAddrPort(server.Host)
	}
	return w
}

// move makes the kubeconfig send the callers of a cluster to another port of its address.
func (w *world) move(t *testing.T, cluster string, port uint16) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	moved := netip.AddrPortFrom(w.addresses[cluster].Addr(), port)
	config.Clusters[cluster].Server = "https://" + moved.String()
	w.addresses[cluster], w.kubeconfig = moved, filepath.Join(t.TempDir(), "moved.kubeconfig")
	if err := clientcmd.WriteToFile(*config, w.kubeconfig); err != nil {
		t.Fatal(err)
	}
}

// of returns the networks, of one address each, of clusters.
func (w *world) of(clusters ...string) []netip.Prefix {
	networks := make([]netip.Prefix, len(clusters))
	for i, name := range clusters {
		addr := w.addresses[name].Addr()
		networks[i] = netip.PrefixFrom(addr, addr.BitLen())
	}
	return networks
}

// sim returns the names of the clusters from one number to another.
func sim(from, to int) []string {
	var names []string
	for i := from; i <= to; i++ {
		names = append(names, fmt.Sprintf("sim-%04d", i))
	}
	return names
}
