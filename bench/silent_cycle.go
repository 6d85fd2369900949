package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// errTooSlow says that the fault came or went while something was measured: the machine is slower than the scenario.
var errTooSlow = errors.New("the fault came or went meanwhile: this machine is too busy")

// cycle measures until it has come to an end within the phases of the scenario.
func (f *silentFleet) cycle(ctx context.Context, s silence, found *silenceFound) error {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		var one silenceFound
		err := f.attempt(ctx, s, &one)
		if err == nil {
			found.add(one)
		}
		if !errors.Is(err, errTooSlow) || attempt == attempts {
			return err
		}
	}
}

// attempt reads the fleet while nothing is wrong with it, when some of it has just gone silent, and when that is known.
func (f *silentFleet) attempt(ctx context.Context, s silence, found *silenceFound) error {
	patience := s.before + 2*s.phase
	if err := f.await(ctx, patience, fleetv1.Verdict_STATE_HEALTHY); err != nil {
		return err
	}
	if err := f.calm(ctx, s.rounds, found); err != nil {
		return f.inTime(ctx, err, false)
	}
	if err := poll(ctx, patience, func() (bool, error) { return f.struck(ctx), nil }); err != nil {
		return fmt.Errorf("wait for the fault: %w", err)
	}
	return f.inTime(ctx, f.silent(ctx, s, found), true)
}

// calm reads while nothing is wrong.
func (f *silentFleet) calm(ctx context.Context, rounds int, found *silenceFound) error {
	whole := &fleetv1.FetchManifestsRequest{}
	alone := &fleetv1.FetchManifestsRequest{Selector: &fleetv1.ClusterSelector{Names: f.living}}
	if _, err := f.read(ctx, whole, false); err != nil { // makes the connections
		return err
	}
	for range rounds {
		if err := errors.Join(f.note(ctx, &found.whole, whole, false), f.note(ctx, &found.alone, alone, false)); err != nil {
			return err
		}
	}
	return nil
}

// silent reads once while nothing is known of the fault, and then when all of it is.
func (f *silentFleet) silent(ctx context.Context, s silence, found *silenceFound) error {
	whole := &fleetv1.FetchManifestsRequest{}
	tried := &fleetv1.FetchManifestsRequest{IncludeUnreachable: true}
	struck := time.Now()
	group, watched := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := f.await(watched, s.phase, fleetv1.Verdict_STATE_UNREACHABLE)
		found.told = append(found.told, time.Since(struck))
		return err
	})
	group.Go(func() error { return f.note(watched, &found.first, whole, true) })
	if err := group.Wait(); err != nil {
		return err
	}
	for range s.rounds {
		if err := errors.Join(f.note(ctx, &found.known, whole, true), f.note(ctx, &found.tried, tried, true)); err != nil {
			return err
		}
	}
	return nil
}

// inTime tells of an error whether it is that the fault is not there, or there, as it was when what failed was begun.
func (f *silentFleet) inTime(ctx context.Context, err error, struck bool) error {
	if err == nil || f.struck(ctx) == struck {
		return err
	}
	return errors.Join(errTooSlow, err)
}
