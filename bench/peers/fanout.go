package main

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/bench/peers/internal/shape"
)

// patience is how long one cluster is waited for unless the job says so.
const patience = 30 * time.Second

// fanOut asks a fleet with client-go in one of the shapes that people write.
type fanOut struct {
	job    child.Job
	client func(*rest.Config) (ask, error)
	shape  shape.Shape
	asks   []ask
}

func (f *fanOut) Prepare(ctx context.Context) error {
	if f.shape = shape.ByName()[f.job.Shape]; f.shape == nil {
		return fmt.Errorf("there is no shape %q", f.job.Shape)
	}
	clusters, err := targets(f.job)
	if err != nil {
		return err
	}
	if f.asks, err = held(clusters, f.client); err != nil {
		return err
	}
	if f.job.Warm {
		_, err = f.Round(ctx)
	}
	return err
}

// Round counts the clusters that gave what was asked for: without a bound some may not, and that is what the shape does.
func (f *fanOut) Round(ctx context.Context) (operations int, err error) {
	var succeeded atomic.Int64
	for range max(f.job.Sweeps, 1) {
		f.shape(len(f.asks), f.job.Limit, func(i int) {
			ctx, cancel := context.WithTimeout(ctx, cmp.Or(f.job.Timeout, patience))
			defer cancel()
			if objects, err := f.asks[i](ctx); err == nil && objects == f.job.Objects {
				succeeded.Add(1)
			}
		})
	}
	return int(succeeded.Load()), ctx.Err()
}
