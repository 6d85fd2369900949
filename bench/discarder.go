package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// discarder is the floor of a fetch: it reads the same page of every cluster with net/http and throws it away.
type discarder struct {
	job     job
	targets []httpTarget
}

func (d *discarder) Prepare(context.Context) (err error) {
	d.targets, err = newHTTPTargets(d.job.Kubeconfig)
	return err
}

func (d *discarder) Round(ctx context.Context) (operations int, err error) {
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

// firstReader is the floor of the first result: it reads as discarder does, and ends with the first page that is there.
type firstReader struct{ discarder }

func (f *firstReader) Round(ctx context.Context) (operations int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group errgroup.Group
	group.SetLimit(f.job.Limit)
	for _, t := range f.targets {
		group.Go(func() error {
			if _, err := t.get(ctx, "/api/v1/pods?limit=500"); err == nil {
				cancel(errFirst)
			}
			return nil
		})
		if ctx.Err() != nil {
			break
		}
	}
	<-ctx.Done()
	cause := context.Cause(ctx)
	_ = group.Wait() // they fail once there is a first one
	if !errors.Is(cause, errFirst) {
		return 0, cause
	}
	return 1, nil
}

var errFirst = errors.New("the first page is there")
