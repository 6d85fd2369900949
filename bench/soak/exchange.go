package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// exchangeTime is within what the aggregator has to know a changed kubeconfig.
const exchangeTime = 30 * time.Second

// exchange lets some clusters go and others come, and waits until the aggregator says so, or ctx ends.
func (s *soaking) exchange(ctx context.Context) error {
	came, gone, err := s.kubeconfig.change()
	if err != nil {
		return err
	}
	if err := s.aggregator.reload(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	for {
		_, known := s.quiet.GetCluster(bounded, came)
		_, forgotten := s.quiet.GetCluster(bounded, gone)
		if known == nil && status.Code(forgotten) == codes.NotFound {
			s.tally.count("reload", ended)
			return nil
		}
		pause(bounded, 50*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if bounded.Err() != nil {
			s.tally.fail("reload", fmt.Errorf("after %s: %s came: %w, %s went: %w", exchangeTime, came, known, gone, forgotten))
			return nil
		}
	}
}
