package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// announcement is the first line of stdout, for programs that start this one: when it is there, the fleet is.
type announcement struct {
	Kubeconfig string `json:"kubeconfig"`
	Clusters   int    `json:"clusters"`
	Address    string `json:"address,omitempty"` // of the shared listener
	Admin      string `json:"admin,omitempty"`   // URL
}

// announce says that the fleet is up: to programs on stdout, to people on stderr.
func (o *options) announce(fleet *simulator.Fleet, admin *admin, stdout, stderr io.Writer) error {
	names := fleet.Names()
	line, err := json.Marshal(announcement{
		Kubeconfig: o.kubeconfig, Clusters: len(names), Address: fleet.Address(), Admin: admin.url(),
	})
	if err != nil {
		return fmt.Errorf("announce the fleet: %w", err)
	}
	if _, err := fmt.Fprintf(stdout, "%s\n", line); err != nil {
		return fmt.Errorf("announce the fleet: %w", err)
	}
	where := "a port each"
	if fleet.Address() != "" {
		_, port, err := net.SplitHostPort(fleet.Address())
		if err != nil {
			return fmt.Errorf("announce the fleet: %w", err)
		}
		where = "all on port " + port + " and on loopback only"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "fleetsim: %d simulated clusters, %s to %s in %s, %s\n",
		len(names), names[0], names[len(names)-1], o.network, where)
	fmt.Fprintf(&b, "fleetsim: kubeconfig in %s; for example\n", o.kubeconfig)
	fmt.Fprintf(&b, "    kubectl --kubeconfig %s --context %s get pods -A\n", o.kubeconfig, names[0])
	fmt.Fprintf(&b, "    aggregator --kubeconfig %s   and then   fleetctl probe\n", o.kubeconfig)
	if admin.url() != "" {
		fmt.Fprintf(&b, "fleetsim: statistics at %s/stats\n", admin.url())
	}
	_, err = io.WriteString(stderr, b.String())
	return err
}
