package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

const (
	// touchTime bounds one reading of the whole fleet.
	touchTime  = 10 * time.Second
	touchPause = 100 * time.Millisecond
	// forgetting is how many collections it takes until nothing of the callers is left: one may have begun before they left,
	// and what pools keep outlives another.
	forgetting = 3
	// stirring is how much garbage is made between two looks at rest, in time, so that there are collections. It is made by
	// small answers.
	stirring   = 100 * time.Millisecond
	stirredBy  = 4
	stirAnswer = 10 // clusters
	// stirPause is between two answers once it is looked: what is made while a collection is under way counts as alive, and
	// of a hurry that is megabytes.
	stirPause = 3 * time.Millisecond
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
		pause(resting, touchPause)
	}
	pause(resting, s.timetable.settling())
	point, err := s.still(resting, until)
	if err != nil || point == nil {
		return nil, err
	}
	return point, s.log.add(*point)
}

// touch reads the largest list of every cluster, so that there is a connection for reads to each of them whose buffers have
// grown to that, and tells whether all have answered.
func (s *soaking) touch(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, touchTime)
	defer cancel()
	stream := s.quiet.FetchManifests(ctx, &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Version: "v1", Resource: "pods"}, IncludeUnreachable: true,
	})
	for _, err := range stream.Results() {
		if err != nil {
			return false
		}
	}
	summary := stream.Summary()
	return summary.GetExpected() == int32(s.kubeconfig.size()) && summary.GetSucceeded() == summary.GetExpected()
}

// still returns what was seen from when enough was collected until the given time; nil if ctx ends before that. The garbage
// for that is made in a hurry, so what the last of these collections has found counts only if there is no other.
func (s *soaking) still(ctx context.Context, until time.Time) (*sample, error) {
	enough := -1 // collections
	var seen []sample
	for ctx.Err() == nil && (len(seen) == 0 || time.Now().Before(until)) {
		now, err := s.look(ctx)
		switch {
		case err != nil && !s.aggregator.alive():
			return nil, err
		case err != nil:
			s.missed.Add(1)
		case enough < 0:
			enough = now.collections + forgetting
		case now.collections >= enough:
			seen = append(seen, now)
		}
		if len(seen) == 0 {
			s.stir(ctx, stirredBy, 0)
		} else {
			s.stir(ctx, 1, stirPause)
		}
	}
	if len(seen) == 0 {
		return nil, nil //nolint:nilnil // there is nothing to tell, and nothing went wrong
	}
	point := atRest(unhurried(seen))
	return &point, nil
}

// unhurried are those samples that tell of another collection than the first one, or all if there are none.
func unhurried(seen []sample) []sample {
	for i, s := range seen {
		if s.collections > seen[0].collections {
			return seen[i:]
		}
	}
	return seen
}

// stir makes garbage in the aggregator, by some callers who pause between two calls.
func (s *soaking) stir(ctx context.Context, callers int, between time.Duration) {
	enough := time.Now().Add(stirring)
	var group errgroup.Group
	for range callers {
		group.Go(func() error {
			for ctx.Err() == nil && time.Now().Before(enough) {
				if err := s.glance(ctx); err != nil && !over(ctx) {
					s.tally.fail("ListClusterHealth at rest", err)
					return nil
				}
				pause(ctx, between)
			}
			return nil
		})
	}
	_ = group.Wait() // they report for themselves
}

// glance asks for the health of the first few clusters.
func (s *soaking) glance(ctx context.Context) error {
	seen := 0
	for _, err := range s.quiet.ListClusterHealth(ctx, &fleetv1.ListClusterHealthRequest{PageSize: stirAnswer}) {
		if err != nil {
			return err
		}
		if seen++; seen == stirAnswer {
			break
		}
	}
	return nil
}
