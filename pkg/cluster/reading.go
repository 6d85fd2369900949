package cluster

import "golang.org/x/time/rate"

// reading is what a client has for reads. It is made at the first one: most clusters are only probed.
type reading struct {
	limiter *limiter
	types   typeCache
}

func newReading() *reading {
	return &reading{
		limiter: newLimiter(MaxReads, 1, rate.Limit(readRate), readBurst),
		types:   typeCache{turn: make(chan struct{}, 1)}, // one token: the call that discovers
	}
}

func (c *Client) reads() *reading { return c.reading.get(newReading) }
