package simulator

import (
	"context"
	"net/netip"
)

// network is where the clusters of a fleet live: the first two bytes of their addresses.
type network [2]byte

// loopback is the network that nobody but the machine itself reaches.
func loopback() network { return network{127, 16} }

// parseNetwork reads the network of a configuration; the zero prefix is loopback.
func parseNetwork(p netip.Prefix) (network, error) {
	if p == (netip.Prefix{}) {
		return loopback(), nil
	}
	addr := p.Addr()
	if !addr.Is4() || p.Bits() != 16 || p != p.Masked() {
		return network{}, invalid("network: %s is no IPv4 network of 16 bits, such as 10.16.0.0/16", p)
	}
	if b := addr.As4(); b[0] != 0 && !addr.IsMulticast() && b[0] < 240 {
		return network{b[0], b[1]}, nil
	}
	return network{}, invalid("network: no machine has an address of %s", p)
}

// at is the address of a cluster.
func (n network) at(index int) netip.Addr {
	subnet, host := index/hostsPerSubnet, index%hostsPerSubnet+1
	return netip.AddrFrom4([4]byte{n[0], n[1], byte(subnet), byte(host)}) //nolint:gosec // MaxClusters keeps both below 256
}

// indexOf is the reverse of at; false for an address that is no cluster's.
func (n network) indexOf(addr netip.Addr) (int, bool) {
	b := addr.Unmap().As4()
	if b[0] != n[0] || b[1] != n[1] || b[3] < 1 || int(b[3]) > hostsPerSubnet {
		return 0, false
	}
	return int(b[2])*hostsPerSubnet + int(b[3]) - 1, true
}

func (n network) isLoopback() bool { return n.at(0).IsLoopback() }

// admits reports whether a client is served: on loopback nobody from elsewhere.
func (n network) admits(client netip.Addr) bool { return !n.isLoopback() || client.IsLoopback() }

// isOurs tells whether all addresses of the network are this machine's: those of loopback are on Linux, others where a
// local route says so.
func (n network) isOurs(ctx context.Context) bool {
	for _, index := range []int{0, MaxClusters - 1} {
		l, err := listen(ctx, n.at(index), 0)
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
