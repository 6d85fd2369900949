package netns

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	vishnetns "github.com/vishvananda/netns"
)

// Fleet is the network that the far machine is: all of its addresses are that machine's own.
const Fleet = "10.16.0.0/16"

// Everything is the network of the whole fleet.
func Everything() netip.Prefix { return netip.MustParsePrefix(Fleet) }

const (
	nearAddress = "10.15.0.1/24"
	farAddress  = "10.15.0.2/24"
	linkName    = "link"
)

// Pair is the network of the process, in which there is nothing else, and another one at the other end of a link.
type Pair struct {
	t         testing.TB
	namespace *os.File // the far one
	near, far side
}

// side is one end of the link and the namespace that it is in.
type side struct {
	*netlink.Handle
	link, loopback netlink.Link
}

// NewPair makes the other network, the link, and the routes to and from it. It is for processes that run [Apart].
func NewPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{t: t}
	var err error
	if p.namespace, err = created(behaveAsRouter); err != nil {
		t.Fatalf("%s: %v", needed, err)
	}
	t.Cleanup(func() { p.namespace.Close() })
	p.do("join the networks", p.join())
	t.Cleanup(func() {
		p.near.Close()
		p.far.Close()
	})
	p.awaitLink()
	p.do("get an answer", p.answered())
	return p
}

// Launcher is the beginning of a command line that runs in the far network.
func (p *Pair) Launcher() []string {
	p.t.Helper()
	self, err := os.Executable()
	p.do("find the test binary", err)
	return []string{self, enter, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), p.namespace.Fd())}
}

// behaveAsRouter makes a machine tell what it cannot deliver. Where a route says that there is no way, the kernel does so
// five times at once and then once a second for each who asks (net.ipv4.route.error_burst), which no namespace can change.
func behaveAsRouter() error {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/icmp_ratelimit", []byte("0"), 0o600)
}

// do ends the test if a step has failed: a fault that was not made would prove nothing.
func (p *Pair) do(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

func (p *Pair) join() (err error) {
	if p.near.Handle, err = netlink.NewHandle(); err != nil {
		return err
	}
	if p.far.Handle, err = netlink.NewHandleAt(vishnetns.NsHandle(p.namespace.Fd())); err != nil {
		return err
	}
	err = p.near.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: linkName}, PeerName: linkName, PeerNamespace: netlink.NsFd(p.namespace.Fd()),
	})
	if err != nil {
		return err
	}
	if err := p.near.raise(nearAddress); err != nil {
		return err
	}
	if err := p.far.raise(farAddress); err != nil {
		return err
	}
	if err := p.far.RouteAdd(p.far.own(Everything())); err != nil {
		return err
	}
	return p.near.lead()
}

// raise brings the side up.
func (s *side) raise(address string) (err error) {
	if s.loopback, err = s.LinkByName("lo"); err != nil {
		return err
	}
	if s.link, err = s.LinkByName(linkName); err != nil {
		return err
	}
	parsed, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	if err := s.AddrAdd(s.link, parsed); err != nil {
		return err
	}
	if err := s.LinkSetUp(s.loopback); err != nil {
		return err
	}
	return s.LinkSetUp(s.link)
}
