package server

import (
	"context"
	"errors"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// call is a fan-out that is being streamed: its summary so far.
type call struct {
	fleet.Summary

	start time.Time
}

func begin(expected int) *call {
	return &call{Summary: fleet.Summary{Expected: expected}, start: time.Now()}
}

// end returns the summary of a call whose time was bounded by ctx.
func (c *call) end(ctx context.Context) *fleetv1.Summary {
	c.Duration = time.Since(c.start)
	cut := c.Failed+c.NotAttempted > 0
	c.DeadlineExceeded = cut && errors.Is(context.Cause(ctx), context.DeadlineExceeded)
	return summary(c.Summary)
}
