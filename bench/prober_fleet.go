package main

import (
	"context"
	"fmt"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// fleetProber probes as the aggregator does: select, order, fan out, probe, store, yield.
type fleetProber struct {
	job   job
	fleet *fleet.Fleet
}

func (p *fleetProber) Prepare(ctx context.Context) error {
	if err := p.load(); err != nil {
		return err
	}
	_, err := p.Round(ctx) // makes the connections
	return err
}

// load makes the kubeconfig a fleet.
func (p *fleetProber) load() error {
	definitions, err := simulated.Definitions(p.job.Kubeconfig)
	if err != nil {
		return err
	}
	p.fleet = fleet.New(fleet.Options{UserAgent: userAgent})
	return p.fleet.Apply(definitions)
}

func (p *fleetProber) Round(ctx context.Context) (operations int, err error) {
	for range p.job.Sweeps {
		run, err := p.fleet.Probe(ctx, fleet.ProbeRequest{Depth: cluster.Quick, Limit: p.job.Limit})
		if err != nil {
			return 0, err
		}
		for result := range run.Results {
			if result.Err != nil || result.Observation.Verdict.State != cluster.Healthy {
				return 0, fmt.Errorf("%s: %v", result.Cluster, result.Observation.Verdict.Message)
			}
			operations++
		}
	}
	return operations, nil
}
