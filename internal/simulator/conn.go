package simulator

import (
	"net"
	"sync"
	"sync/atomic"
)

// conn is one accepted TCP connection and the cluster it belongs to.
type conn struct {
	*net.TCPConn
	cluster *cluster
	stats   *stats
	slot    int         // in cluster.conns, guarded by cluster.mu
	severed atomic.Bool // the simulator, not the client, ended it
	closing sync.Once
}

// gate holds back everything that would pass it until it is opened.
type gate struct{ opened chan struct{} }

// await blocks while the cluster is black-holed.
func (c *cluster) await() {
	if g := c.mute.Load(); g != nil {
		<-g.opened
	}
}

// Read delivers what arrived only when the cluster is not black-holed.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.cluster.await()
	return n, err
}

// Write sends only when the cluster is not black-holed.
func (c *conn) Write(p []byte) (int, error) {
	c.cluster.await()
	n, err := c.TCPConn.Write(p)
	c.stats.bytesWritten.Add(int64(n))
	return n, err
}

// Close may be called by the HTTP server, the fault and the fleet at once.
func (c *conn) Close() error {
	var err error
	c.closing.Do(func() {
		c.cluster.forget(c)
		c.stats.open.Add(-1)
		c.cluster.traffic.open.Add(-1)
		err = c.TCPConn.Close()
	})
	return err
}

// reset ends the connection with RST, without any goodbye of TLS or HTTP.
func (c *conn) reset() {
	c.severed.Store(true)
	_ = c.SetLinger(0) // fails only on a closed connection
	_ = c.Close()
}

// drop ends the connection as a server does whose process ends: FIN, no goodbye.
func (c *conn) drop() {
	c.severed.Store(true)
	_ = c.Close()
}

func (c *cluster) remember(added *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	added.slot = len(c.conns)
	c.conns = append(c.conns, added)
}

func (c *cluster) forget(gone *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.conns) - 1
	c.conns[gone.slot] = c.conns[last]
	c.conns[gone.slot].slot = gone.slot
	c.conns[last] = nil
	c.conns = c.conns[:last]
}

// connections is a copy: ending a connection changes the list.
func (c *cluster) connections() []*conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*conn(nil), c.conns...)
}
