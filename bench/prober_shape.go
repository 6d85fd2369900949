package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/clusterfleet/clusterfleet/bench/internal/shape"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// shapeProber is a peer: the product's own probes, fanned out in one of the shapes that people write first. It makes its
// connections in its first round, as an aggregator does that has just started.
type shapeProber struct {
	job     job
	shape   shape.Shape
	clients []*cluster.Client
}

func (p *shapeProber) prepare(context.Context) error {
	if p.shape = shape.ByName()[p.job.Shape]; p.shape == nil {
		return fmt.Errorf("there is no shape %q", p.job.Shape)
	}
	definitions, err := simulated.Definitions(p.job.Kubeconfig)
	if err != nil {
		return err
	}
	p.clients = make([]*cluster.Client, len(definitions))
	for i, d := range definitions {
		if p.clients[i], err = cluster.New(d, cluster.Options{UserAgent: userAgent}); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return nil
}

// round counts the probes that found a healthy cluster: without a bound some may not, and that is what the shape does.
func (p *shapeProber) round(ctx context.Context) (operations int, err error) {
	var healthy atomic.Int64
	p.shape(len(p.clients), p.job.Limit, func(i int) {
		verdict, err := p.clients[i].Probe(ctx, cluster.Quick, p.job.Timeout)
		if err == nil && verdict.State == cluster.Healthy {
			healthy.Add(1)
		}
	})
	return int(healthy.Load()), ctx.Err()
}
