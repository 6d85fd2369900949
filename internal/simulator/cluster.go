package simulator

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/labels"
)

// hostsPerSubnet leaves out .0 and .255, which some systems treat as network and broadcast addresses.
const hostsPerSubnet = 254

// domain is under a name that is reserved for private use, so that no certificate here is good for a real host.
const domain = "fleetsim.internal"

// cluster is one simulated API server. What is fixed at the start stands first; the rest is guarded as noted.
type cluster struct {
	name       string
	index      int
	labels     labels.Set
	address    netip.AddrPort // where clients connect
	credential credential
	latency    *Latency
	catalogue  *catalogue
	door       *door // nil when the cluster shares the fleet's listener

	faults  atomic.Pointer[faultSet] // nil: no fault
	mute    atomic.Pointer[gate]     // non-nil: nothing may be read or written
	traffic traffic

	mu          sync.Mutex
	conns       []*conn   // guarded by mu
	certificate []byte    // guarded by mu; issued at the first handshake
	random      *rand.PCG // guarded by mu
}

func newCluster(index int, seed uint64) *cluster {
	return &cluster{
		name:   clusterName(index),
		index:  index,
		labels: clusterLabels(index),
		random: rand.NewPCG(seed, uint64(index)+1), //nolint:gosec // an index is not negative
	}
}

func (c *cluster) serverName() string { return c.name + "." + domain }

// clusterName counts from one; four digits keep small fleets sorted, and a name is the same in a fleet of any size.
func clusterName(index int) string { return fmt.Sprintf("sim-%04d", index+1) }

func clusterLabels(index int) labels.Set {
	envs := [...]string{"prod", "prod", "prod", "prod", "prod", "staging", "staging", "staging", "dev", "dev"}
	regions := [...]string{"eu-west-1", "us-east-1", "ap-south-1", "us-west-2"}
	tiers := [...]string{"critical", "standard", "batch"}
	return labels.Set{
		"env":    envs[index%len(envs)],
		"region": regions[index/len(envs)%len(regions)],
		"tier":   tiers[index%len(tiers)],
	}
}

// loopbackOf is the address of a cluster on systems where all of 127.0.0.0/8 is the machine itself.
func loopbackOf(index int) netip.Addr {
	subnet, host := index/hostsPerSubnet, index%hostsPerSubnet+1
	return netip.AddrFrom4([4]byte{127, 16, byte(subnet), byte(host)}) //nolint:gosec // MaxClusters keeps both below 256
}

// indexOf is the reverse of loopbackOf; false for an address that is no cluster's.
func indexOf(addr netip.Addr) (int, bool) {
	b := addr.Unmap().As4()
	if b[0] != 127 || b[1] != 16 || b[3] < 1 || int(b[3]) > hostsPerSubnet {
		return 0, false
	}
	return int(b[2])*hostsPerSubnet + int(b[3]) - 1, true
}
