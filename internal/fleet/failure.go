package fleet

import (
	"context"
	"errors"
	"net/http"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// failed returns why reading a cluster failed, nil if it did not. ctx is that of the whole call, own the one that ends
// with the cluster's time as well: the end of the first says nothing about the cluster, that of the second does.
func failed(ctx, own context.Context, err error) *cluster.Error {
	if err == nil {
		return nil
	}
	e := explain(err)
	canceled := errors.Is(err, context.Canceled)
	switch {
	case ctx.Err() != nil && (canceled || errors.Is(err, context.Cause(ctx))):
		return cluster.Unfinished(e.Phase, context.Cause(ctx))
	case canceled: // what was stopped does not know why
		return cluster.Classify(context.Cause(own), cluster.PhaseBody)
	}
	return e
}

// behind is err, but for a 404 behind a page of a list, or in the middle of one: that something is not there is said only of
// what nothing was read of.
func (e *End) behind(err *cluster.Error) *cluster.Error {
	if err == nil || err.Reason != cluster.NotFound || e.Pages == 0 {
		return err
	}
	late := cluster.NewError(cluster.ServerError, err.Phase, "what was being read is gone: "+err.Message, err)
	late.StatusCode = err.StatusCode
	return late
}

func explain(err error) *cluster.Error {
	if status, ok := errors.AsType[*manifest.StatusError](err); ok {
		return cluster.NewStatusError(int(status.Code), status.Message, status.RetryAfter)
	}
	switch {
	case errors.Is(err, manifest.ErrMalformed):
		return cluster.NewError(cluster.MalformedResponse, cluster.PhaseBody, "the answer is not what Kubernetes sends: "+err.Error(), err)
	case errors.Is(err, manifest.ErrTooLarge), errors.Is(err, manifest.ErrEndless):
		return cluster.NewError(cluster.ResponseTooLarge, cluster.PhaseBody, err.Error(), err)
	}
	if errors.Is(err, manifest.ErrExpired) {
		e := cluster.NewError(cluster.ServerError, cluster.PhaseBody, err.Error()+"; ask again, or for less", err)
		e.StatusCode = http.StatusGone
		return e
	}
	return cluster.Classify(err, cluster.PhaseBody)
}
