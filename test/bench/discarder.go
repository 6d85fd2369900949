package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// discarder is the floor of a fetch: it reads the same page of every cluster with net/http and throws it away.
type discarder struct {
	job     job
	targets []httpTarget
}

func (d *discarder) prepare(context.Context) (err error) {
	d.targets, err = newHTTPTargets(d.job.Kubeconfig)
	return err
}

func (d *discarder) round(ctx context.Context) (operations int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(d.job.Limit)
	for _, t := range d.targets {
		group.Go(func() error {
			n, err := t.get(ctx, "/api/v1/pods?limit=500")
			if err == nil && n < fetchObjects*fetchObjectBytes {
				err = fmt.Errorf("a page has only %d bytes", n)
			}
			return err
		})
	}
	return len(d.targets), group.Wait()
}
