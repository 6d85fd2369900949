package main

import (
	"context"

	"github.com/clusterfleet/clusterfleet/bench/internal/bare"
)

// caller calls the aggregator, for as long as its call takes; it is there to be killed.
type caller struct{ job job }

func (c *caller) Prepare(context.Context) error { return nil }

func (c *caller) Round(ctx context.Context) (operations int, err error) {
	conn, err := dial(c.job.Aggregator)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return 1, probeAll(ctx, conn, c.job.Clusters, c.job.Limit, c.job.Timeout)
}

// holder asks every cluster itself and waits; it is there to be killed.
type holder struct {
	job   job
	conns []*bare.Conn
}

func (h *holder) Prepare(ctx context.Context) (err error) {
	h.conns, err = dialAll(ctx, h.job)
	return err
}

func (h *holder) Round(ctx context.Context) (operations int, err error) {
	for _, conn := range h.conns {
		if err := conn.Send(); err != nil {
			return 0, err
		}
	}
	<-ctx.Done()
	return len(h.conns), nil
}
