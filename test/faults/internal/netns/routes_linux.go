package netns

import (
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	router     = "10.15.0.2"         // the far end of the link
	nobody     = "10.15.0.66"        // the next hop of what is to be lost
	nobodysMAC = "02:00:00:00:00:66" // no interface has it, so that the far end ignores what comes

	// usual is the metric of the route that holds where there is no fault: routes without a metric come before it.
	usual = 100
	// replies is the priority of the rules by which the far machine loses what it sends.
	replies = 100
)

// own makes all addresses of a network the machine's.
func (s *side) own(network netip.Prefix) *netlink.Route {
	return &netlink.Route{
		LinkIndex: s.loopback.Attrs().Index, Dst: parsed(network),
		Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
	}
}

// lead adds what a link loses when it goes down: the route to the fleet, and where nobody is.
func (s *side) lead() error {
	mac, err := net.ParseMAC(nobodysMAC)
	if err != nil {
		return err
	}
	err = s.NeighSet(&netlink.Neigh{
		LinkIndex: s.link.Attrs().Index, IP: net.ParseIP(nobody), HardwareAddr: mac, State: netlink.NUD_PERMANENT,
	})
	if err != nil {
		return err
	}
	way := s.via(router, Everything())
	way.Priority = usual
	return s.RouteReplace(way)
}

// via leads to a network by a next hop.
func (s *side) via(hop string, network netip.Prefix) *netlink.Route {
	return &netlink.Route{LinkIndex: s.link.Attrs().Index, Dst: parsed(network), Gw: net.ParseIP(hop)}
}

// losing is the rule by which what comes from a network is lost.
func losing(network netip.Prefix) *netlink.Rule {
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Src, rule.Type = unix.AF_INET, replies, parsed(network), unix.RTN_BLACKHOLE
	return rule
}

func parsed(network netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: network.Addr().AsSlice(), Mask: net.CIDRMask(network.Bits(), network.Addr().BitLen())}
}
