package main

import (
	"context"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

const (
	// touchTime bounds one reading of the whole fleet.
	touchTime = 10 * time.Second
	// forgetting is how many collections it takes until nothing of the callers is left: one may have begun before they left,
	// and what pools keep outlives another.
	forgetting = 3
	// stirring is the time between two looks at rest. Between them a little garbage is made, so that there are collections.
	stirring = 100 * time.Millisecond
)

// rest waits until the aggregator is as it is at every rest, and takes a sample there. It goes on until enough was seen
// and the given time has come, but not beyond the time by more than the patience; nil: the aggregator has not come to rest.
func (s *soaking) rest(ctx context.Context, until time.Time, patience time.Duration) (*sample, error) {
	resting, cancel := context.WithDeadline(ctx, until.Add(patience))
	defer cancel()
	for !s.touch(resting) {
		if resting.Err() != nil {
			return nil, ctx.Err()
		}
		pause(resting, stirring)
	}
	pause(resting, s.timetable.settling())
	point, err := s.still(resting, until)
	if err != nil || point == nil {
		return nil, err
	}
	return point, s.log.add(*point)
}

// touch reads a little of every cluster, so that there is a connection for reads to each of them, and tells whether all
// have answered.
func (s *soaking) touch(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, touchTime)
	defer cancel()
	stream := s.quiet.FetchManifests(ctx, &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Version: "v1", Resource: "namespaces"}, Name: "default", IncludeUnreachable: true,
	})
	for _, err := range stream.Results() {
		if err != nil {
			return false
		}
	}
	summary := stream.Summary()
	return summary.GetExpected() == int32(s.kubeconfig.size()) && summary.GetSucceeded() == summary.GetExpected()
}

// still returns the least of each figure that was seen from when enough was collected until the given time; nil if ctx ends
// before that.
func (s *soaking) still(ctx context.Context, until time.Time) (*sample, error) {
	first, err := s.look(ctx)
	var found *sample
	for now := first; err == nil && (found == nil || time.Now().Before(until)); now, err = s.look(ctx) {
		if now.collections >= first.collections+forgetting {
			now.rest = true
			if found != nil {
				now = least(*found, now)
			}
			found = &now
		}
		s.stir(ctx)
		pause(ctx, stirring)
	}
	if ctx.Err() != nil {
		return found, nil
	}
	return found, err
}

// stir makes a little garbage.
func (s *soaking) stir(ctx context.Context) {
	for _, err := range s.quiet.ListClusterHealth(ctx, &fleetv1.ListClusterHealthRequest{PageSize: 1000}) {
		if err != nil && ctx.Err() == nil {
			s.tally.fail("ListClusterHealth", err)
		}
	}
}
