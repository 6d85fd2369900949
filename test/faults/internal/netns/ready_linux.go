package netns

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

const (
	// anyone is an address of the fleet at which nobody listens.
	anyone = "10.16.255.254:1"
	// answer is how long one attempt to get an answer may take: longer than the kernel waits before it sends a SYN once more.
	answer = 2500 * time.Millisecond
)

// awaitLink waits until the kernel sends on both ends of the link: up to a second after they were set up, in which what is
// sent is lost.
func (p *Pair) awaitLink() {
	p.t.Helper()
	p.do("await the link", process.Poll(p.t.Context(), func() (bool, error) {
		for _, s := range []*side{&p.near, &p.far} {
			link, err := s.LinkByIndex(s.link.Attrs().Index)
			if err != nil {
				return false, err
			}
			if state := link.Attrs().OperState; state != netlink.OperUp {
				return false, fmt.Errorf("an end of the link is %s", state)
			}
		}
		return true, nil
	}))
}

// answered waits for the first answer of the far machine.
func (p *Pair) answered() error {
	return process.Poll(p.t.Context(), func() (bool, error) {
		conn, err := net.DialTimeout("tcp", anyone, answer)
		if err == nil {
			conn.Close()
			return false, fmt.Errorf("somebody listens at %s", anyone)
		}
		return errors.Is(err, syscall.ECONNREFUSED), err
	})
}
