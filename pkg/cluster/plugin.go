package cluster

import (
	"context"
	"net/http"
	"sync"
)

// pluginGate keeps a credential plugin that hangs from holding more than one goroutine: client-go runs plugins without
// a context. A call passes the gate before its plugin may run and opens it for the next one once the credential is
// there; when the caller's time runs out before that, the caller leaves and the plugin is left behind the gate.
type pluginGate struct {
	turn chan struct{}
}

func newPluginGate() *pluginGate { return &pluginGate{turn: make(chan struct{}, 1)} }

type gateKey struct{}

// inner stands below client-go's plugin: a request that gets here has its credential.
func (g *pluginGate) inner(base http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if open, ok := req.Context().Value(gateKey{}).(func()); ok {
			open()
		}
		return base.RoundTrip(req)
	})
}

// outer stands above client-go's plugin.
func (g *pluginGate) outer(plugged http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ctx := req.Context()
		t := traceOf(ctx)
		t.enter(PhaseCredential)
		select {
		case g.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		open := sync.OnceFunc(func() { <-g.turn })
		return g.await(req.WithContext(context.WithValue(ctx, gateKey{}, open)), plugged, open)
	})
}

// abandonedError says that a call was left while client-go still worked on it. Its trace must not be read any more.
type abandonedError struct{ cause error }

func (e *abandonedError) Error() string { return e.cause.Error() }
func (e *abandonedError) Unwrap() error { return e.cause }

type outcome struct {
	resp *http.Response
	err  error
}

// await makes the call in a goroutine of its own, so that it can leave without it.
func (g *pluginGate) await(req *http.Request, plugged http.RoundTripper, open func()) (*http.Response, error) {
	ctx := req.Context()
	t := traceOf(ctx)
	results := make(chan outcome)
	go func() {
		defer open()
		resp, err := plugged.RoundTrip(req)
		if err != nil && t.at() == PhaseCredential {
			err = &pluginError{err}
		}
		select {
		case results <- outcome{resp, err}:
		case <-ctx.Done():
			if resp != nil {
				_ = resp.Body.Close() // nobody is left to read it
			}
		}
	}()
	select {
	case r := <-results:
		return r.resp, r.err
	case <-ctx.Done():
		return nil, &abandonedError{context.Cause(ctx)}
	}
}

// roundTripperFunc is a function that serves as an http.RoundTripper.
type roundTripperFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
