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

// firstReader is the floor of the first result: it reads as discarder does, and ends when the first object of any page is
// there.
type firstReader struct{ discarder }

func (f *firstReader) Round(ctx context.Context) (operations int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group errgroup.Group
	group.SetLimit(f.job.Limit)
	for _, t := range f.targets {
		group.Go(func() error {
			_, _ = t.read(ctx, "/api/v1/pods?limit=500", &milestone{left: fetchObjectBytes, passed: func() { cancel(errFirst) }})
			return nil // whether there is a first one, ctx tells
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

var errFirst = errors.New("the first object is there")

// milestone is a writer that tells when so many bytes have come.
type milestone struct {
	left   int
	passed func()
}

func (m *milestone) Write(p []byte) (int, error) {
	if m.left > 0 && m.left <= len(p) {
		m.passed()
	}
	m.left -= len(p)
	return len(p), nil
}
