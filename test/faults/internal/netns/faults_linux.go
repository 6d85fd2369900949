package netns

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// LoseRequests makes what is sent to the networks disappear on the way, without a word.
func (p *Pair) LoseRequests(networks ...netip.Prefix) {
	p.t.Helper()
	for _, n := range networks {
		p.do("lose requests", p.near.RouteAdd(p.near.via(nobody, n)))
	}
}

// FindRequests undoes LoseRequests.
func (p *Pair) FindRequests(networks ...netip.Prefix) {
	p.t.Helper()
	for _, n := range networks {
		p.do("find requests", p.near.RouteDel(p.near.via(nobody, n)))
	}
}

// Silence makes what is sent to the networks and by them disappear on the way, without a word.
func (p *Pair) Silence(networks ...netip.Prefix) {
	p.t.Helper()
	p.LoseRequests(networks...)
	for _, n := range networks {
		p.do("lose replies", p.far.RuleAdd(losing(n)))
	}
}

// Heal undoes Silence.
func (p *Pair) Heal(networks ...netip.Prefix) {
	p.t.Helper()
	for _, n := range networks {
		p.do("find replies", p.far.RuleDel(losing(n)))
	}
	p.FindRequests(networks...)
}

// Denial is how one learns that no way leads to a network.
type Denial int

// The denials.
const (
	NoRoute    Denial = iota // our own machine knows no way: "no route to host"
	Prohibited               // our own machine does not allow it: "permission denied"
	Discarded                // our own machine throws it away: "invalid argument"
	NoHost                   // a router on the way says that the host is not there: ICMP host unreachable
	Filtered                 // a router on the way says that it does not allow it: ICMP administratively prohibited
)

// Deny makes the network one to which no way leads.
func (p *Pair) Deny(how Denial, network netip.Prefix) {
	p.t.Helper()
	at, route := p.denial(how, network)
	p.do("deny the way", at.RouteAdd(route))
}

// Allow undoes Deny.
func (p *Pair) Allow(how Denial, network netip.Prefix) {
	p.t.Helper()
	at, route := p.denial(how, network)
	p.do("allow the way", at.RouteDel(route))
}

// denial returns the route that says that there is none, and whose it is.
func (p *Pair) denial(how Denial, network netip.Prefix) (*side, *netlink.Route) {
	route := &netlink.Route{Dst: parsed(network)}
	switch how {
	case NoRoute:
		route.Type = unix.RTN_UNREACHABLE
	case Prohibited:
		route.Type = unix.RTN_PROHIBIT
	case Discarded:
		route.Type = unix.RTN_BLACKHOLE
	case NoHost:
		route.Type, route.Table = unix.RTN_UNREACHABLE, unix.RT_TABLE_LOCAL // where its own addresses are
		return &p.far, route
	case Filtered:
		route.Type, route.Table = unix.RTN_PROHIBIT, unix.RT_TABLE_LOCAL
		return &p.far, route
	}
	return &p.near, route
}

// Cut takes our own end of the link down: every attempt to send fails at once.
func (p *Pair) Cut() {
	p.t.Helper()
	p.do("cut the link", p.near.LinkSetDown(p.near.link))
}

// Mend undoes Cut.
func (p *Pair) Mend() {
	p.t.Helper()
	p.do("mend the link", p.near.LinkSetUp(p.near.link))
	p.do("find the way", p.near.lead())
	p.awaitLink()
}

// Unplug takes the far end of the link down: our own end is up and nothing answers.
func (p *Pair) Unplug() {
	p.t.Helper()
	p.do("unplug the link", p.far.LinkSetDown(p.far.link))
}

// Plug undoes Unplug.
func (p *Pair) Plug() {
	p.t.Helper()
	p.do("plug the link", p.far.LinkSetUp(p.far.link))
	p.awaitLink()
}
