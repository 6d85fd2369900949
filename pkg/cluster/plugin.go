package cluster

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// pluginGate keeps a credential plugin that hangs from holding more than one goroutine: client-go runs plugins without
// a context. A call passes the gate before its plugin may run and opens it for the next one once the credential is
// there; when the caller's time runs out before that, the caller leaves and the plugin is left behind the gate.
type pluginGate struct {
	turn   chan struct{} // one token: the call whose plugin may run
	passed atomic.Bool   // there was a credential
}

func newPluginGate() *pluginGate { return &pluginGate{turn: make(chan struct{}, 1)} }

// AwaitsPlugin reports whether the cluster's credential comes from a plugin that has given none yet.
func (c *Client) AwaitsPlugin() bool { return c.gate != nil && !c.gate.passed.Load() }

type gateKey struct{}

// inner stands below client-go's plugin: a request that gets here has its credential.
func (g *pluginGate) inner(base http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if open, ok := req.Context().Value(gateKey{}).(func()); ok {
			g.passed.Store(true)
			open()
		}
		return base.RoundTrip(req)
	})
}

// outer stands above client-go's plugin.
func (g *pluginGate) outer(plugged http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ctx := req.Context()
		traceOf(ctx).enter(PhaseCredential)
		select {
		case g.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		return g.await(req, plugged, sync.OnceFunc(func() { <-g.turn }))
	})
}

type outcome struct {
	resp *http.Response
	err  error
}

// await makes the call in a goroutine of its own, so that the caller can leave without it. The goroutine has a trace of
// its own for the same reason.
func (g *pluginGate) await(req *http.Request, plugged http.RoundTripper, open func()) (*http.Response, error) {
	ctx := req.Context()
	t := traceOf(ctx)
	part := t.part()
	part.enter(PhaseCredential)
	req = req.WithContext(context.WithValue(withTrace(ctx, part), gateKey{}, open))
	req.Header = req.Header.Clone() // client-go's plugin writes into it
	results := make(chan outcome)
	go func() {
		defer open()
		resp, err := plugged.RoundTrip(req)
		if err != nil && part.at() == PhaseCredential {
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
		t.adopt(part)
		return r.resp, r.err
	case <-ctx.Done():
		t.enter(part.at())
		return nil, context.Cause(ctx)
	}
}

// pluginError marks the failure of a credential plugin. Its text does not repeat what the plugin printed, which may
// hold the credential.
type pluginError struct{ cause error }

func (e *pluginError) Unwrap() error { return e.cause }

func (e *pluginError) Error() string {
	words, _, _ := strings.Cut(e.cause.Error(), "\n") // hints how to install it follow
	words = strings.TrimPrefix(words, "getting credentials: ")
	for _, harmless := range []string{"exec: ", "exec plugin ", "plugin "} {
		if strings.HasPrefix(words, harmless) {
			return "credential plugin: " + words
		}
	}
	return "credential plugin: it printed no valid ExecCredential"
}

// roundTripperFunc is a function that serves as an http.RoundTripper.
type roundTripperFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
