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
