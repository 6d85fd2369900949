package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// minInterval bounds how often a probe is repeated: a fleet is no target.
const minInterval = 100 * time.Millisecond

// repeated is a probe that is made again and again.
type repeated struct {
	app    *app
	client *client.Client
	req    *fleetv1.ProbeClustersRequest
	format output.Format
	flags  probeFlags
	// Whether --timeout bounds the whole; else it bounds each round.
	bounded bool
	latest  map[string]*fleetv1.ProbeResult
	ticker  ticker
}

// run probes until ctx ends, or until an error that does not go away.
func (r *repeated) run(ctx context.Context) error {
	round := time.NewTicker(r.flags.interval) // A round that takes longer is followed by the next one at once.
	defer round.Stop()
	if err := r.first(ctx); err != nil {
		return r.end(ctx, err)
	}
	for {
		select {
		case <-ctx.Done():
			return r.end(ctx, ctx.Err())
		case <-round.C:
		}
		err := r.again(ctx)
		switch {
		case err == nil:
		case r.bounded && timeOver(ctx, err):
			return r.end(ctx, err)
		case ctx.Err() == nil && passing(err):
			fmt.Fprintln(r.app.stderr, "warning: "+failure{cluster: "this round", err: err}.String())
		default:
			return r.end(ctx, err)
		}
	}
}

// passing tells that an error may be gone at the next round.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
		return true
	default:
		return errors.Is(err, client.ErrIncomplete)
	}
}

// end is the error with which the command ends.
func (r *repeated) end(ctx context.Context, err error) error {
	if r.bounded && len(r.latest) > 0 && timeOver(ctx, err) {
		return r.app.over()
	}
	if len(r.latest) > 0 && unknownCluster(err) { // It has left the fleet: no mistake of the command line.
		return exitError{exitFailed, r.app.describe(ctx, err)}
	}
	return err
}

// first prints all results, as a probe that is made once does.
func (r *repeated) first(ctx context.Context) error {
	ctx, cancel := r.round(ctx)
	defer cancel()
	stream := r.client.ProbeClusters(ctx, r.req)
	found, err := r.app.collectProbes(stream, r.format)
	for _, result := range found {
		r.note(result)
	}
	if err != nil && stream.Started() == nil {
		return err
	}
	if err := r.app.printProbes(found, stream.Summary(), r.format, r.flags.printing); err != nil {
		return err
	}
	if err == nil && len(found) == 0 {
		err = r.app.outcome(stream.Summary(), 0, true)
	}
	return errors.Join(err, r.app.stdout.Flush())
}

// again prints what differs from the latest results, and names the clusters that are no longer selected. What the round
// had no time for is what it was.
func (r *repeated) again(ctx context.Context) error {
	ctx, cancel := r.round(ctx)
	defer cancel()
	gone := maps.Clone(r.latest)
	var found []*fleetv1.ProbeResult
	stream := r.client.ProbeClusters(ctx, r.req)
	for result, err := range stream.Results() {
		if err != nil {
			return err
		}
		found = append(found, result)
		if unfinished(result) {
			delete(gone, result.GetCluster())
			continue
		}
		n, changed := newsOfProbe(r.latest[result.GetCluster()], result)
		r.note(result)
		delete(gone, result.GetCluster())
		if !changed {
			continue
		}
		if err := r.show(n, result); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		delete(r.latest, name)
		if r.format.Kind == output.JSONL {
			continue // The stream has no message for it.
		}
		if err := r.show(newsOfRemoval(name), nil); err != nil {
			return err
		}
	}
	if r.bounded && stream.Summary().GetDeadlineExceeded() {
		return r.app.over()
	}
	if err := r.app.outcome(stream.Summary(), cut(stream.Summary(), found), false); err != nil {
		fmt.Fprintln(r.app.stderr, "warning: this round: "+err.Error())
	}
	return nil
}

func (r *repeated) note(result *fleetv1.ProbeResult) {
	r.latest[result.GetCluster()] = result
	r.ticker.fits(result.GetCluster())
}

func (r *repeated) show(n news, result *fleetv1.ProbeResult) error {
	switch r.format.Kind {
	case output.JSONL:
		return r.app.message(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: result}})
	case output.Name:
		if err := r.app.name(n.cluster); err != nil {
			return err
		}
		return r.app.stdout.Flush()
	default:
		return r.ticker.show(n)
	}
}

func (r *repeated) round(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, r.app.connection.timeout)
}
