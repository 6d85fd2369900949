package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// telling is a time in which an aggregator told a crowd of changes.
type telling struct {
	measure.Measurement

	rss  int64           // at its end
	late []time.Duration // each delivery's time after the first of its change
}

// tells measures an aggregator and its crowd for as long as wait takes, and nothing of what they did before.
func (a *aggregator) tells(c *crowd, wait func() error) (telling, error) {
	c.reset()
	m, err := a.during(wait)
	if err != nil {
		return telling{}, err
	}
	found := telling{Measurement: m, late: c.reset()}
	if len(found.late) == 0 {
		return found, a.process.Failed(errors.New("nobody was told anything"))
	}
	found.rss, err = process.RSS(a.process.PID())
	return found, err
}

// tellingFloor is the processor time that a teller takes for each delivery.
func (b *bench) tellingFloor(ctx context.Context, connections, watchers int, period time.Duration) (time.Duration, error) {
	address, err := freeAddress()
	if err != nil {
		return 0, err
	}
	child, err := b.contestant(ctx, job{Role: "teller", Aggregator: address})
	if err != nil {
		return 0, err
	}
	defer child.kill()
	if err := child.begin(); err != nil {
		return 0, err
	}
	var c *crowd
	err = poll(ctx, settleTime, func() (bool, error) {
		c, err = watches(ctx, address, connections, watchers)
		return err == nil, nil // until it listens
	})
	if err != nil {
		return 0, child.process.Failed(err)
	}
	defer c.leave()
	c.read(watchers)
	c.reset()
	before, err := process.CPU(child.process.PID())
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, period); err != nil {
		return 0, err
	}
	after, err := process.CPU(child.process.PID())
	if err != nil {
		return 0, err
	}
	told := c.reset()
	if len(told) == 0 {
		return 0, child.process.Failed(errors.New("the floor told nobody anything"))
	}
	return (after - before) / time.Duration(len(told)), nil
}

// freeAddress is one of this machine that nobody listens at.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
