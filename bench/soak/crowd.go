package main

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is the callers: as many at once in every cycle, each of them in visits.
type crowd struct {
	address string
	names   []string // of clusters that never leave
	seed    uint64
	tally   *tally
}

// trade is what some callers do in a visit.
type trade struct {
	callers int
	visit   func(*visit, context.Context)
}

// trades come to fewer connections than the aggregator takes from one address, 64.
func trades() []trade {
	return []trade{
		{24, (*visit).watch},
		{3, (*visit).fetch},
		{2, (*visit).references},
		{1, (*visit).compare},
		{1, (*visit).hibernation},
		{2, (*visit).probe},
		{3, (*visit).poll},
	}
}

// call lets everybody call until ctx ends, and returns when all have left.
func (c *crowd) call(ctx context.Context, cycle int) error {
	var group errgroup.Group
	caller := uint64(0)
	for _, t := range trades() {
		for range t.callers {
			random := rand.New(rand.NewPCG(c.seed, uint64(cycle)<<32|caller))
			caller++
			group.Go(func() error { return c.come(ctx, t, random) })
		}
	}
	return group.Wait()
}

// come makes one visit after the other.
func (c *crowd) come(ctx context.Context, t trade, random *rand.Rand) error {
	for pause(ctx, time.Duration(random.Int64N(int64(2*time.Second)))) {
		v, err := newVisit(c.address, c.names, random, c.tally)
		if err != nil {
			return err
		}
		t.visit(v, ctx)
		v.leave()
		c.tally.visited()
	}
	return nil
}
