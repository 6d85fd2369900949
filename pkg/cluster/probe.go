package cluster

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// DefaultProbeTimeout is the time that a probe may take.
const DefaultProbeTimeout = 5 * time.Second

// errProbeTimeout ends a probe that took its whole time. It is the cluster's failure; the end of the caller's context
// is not.
var errProbeTimeout = timeoutError("the probe took its whole time")

type timeoutError string

func (e timeoutError) Error() string { return string(e) }

// Is makes the error a context.DeadlineExceeded for those who ask.
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded } //nolint:errorlint // a sentinel

// facts are what a cluster said of itself in its last full probe; quick probes repeat them.
type facts struct {
	version, username string
}

type factsCache struct{ atomic.Pointer[facts] }

func (f *factsCache) get() facts {
	if known := f.Load(); known != nil {
		return *known
	}
	return facts{}
}

// Probe tests the cluster for at most timeout, the wait for its turn not included. What is wrong with the cluster is in
// the verdict. An error, an *Error, is returned only if ctx ended first: it says in which phase, and nothing about the
// cluster.
func (c *Client) Probe(ctx context.Context, depth Depth, timeout time.Duration) (*Verdict, error) {
	t := &trace{fresh: depth == Full}
	if err := c.takeTurn(ctx); err != nil {
		return nil, Unfinished(PhaseQueue, err)
	}
	defer c.leaveTurn()
	start := time.Now()
	probeCtx, cancel := context.WithTimeoutCause(ctx, timeout, errProbeTimeout)
	defer cancel()
	p := prober{Client: c, trace: t, verdict: &Verdict{Depth: depth}}
	var failure *Error
	if depth == Full {
		failure = p.full(probeCtx)
	} else {
		failure = p.quick(probeCtx)
	}
	if failure != nil && ctx.Err() != nil && isTimeoutOrCancel(failure) {
		return nil, Unfinished(t.at(), context.Cause(ctx))
	}
	p.verdict.conclude(failure)
	p.verdict.Duration = time.Since(start)
	known := c.facts.get()
	p.verdict.ServerVersion, p.verdict.Username = known.version, known.username
	return p.verdict, nil
}

func isTimeoutOrCancel(e *Error) bool {
	return errors.Is(e, context.Canceled) || errors.Is(e, context.DeadlineExceeded)
}

func (c *Client) takeTurn(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := c.probing.acquire(ctx); err != nil {
		<-c.turn
		return err
	}
	return nil
}

func (c *Client) leaveTurn() {
	c.probing.release()
	<-c.turn
}

// prober is one probe that runs.
type prober struct {
	*Client
	trace   *trace
	verdict *Verdict
}

// quick asks for readiness, and nothing else.
func (p *prober) quick(ctx context.Context) *Error {
	failure, _ := p.ready(ctx)
	return failure
}

// ready makes the READY check and, on a fresh connection, the checks before it. It returns the header of the answer.
func (p *prober) ready(ctx context.Context) (*Error, http.Header) {
	start := time.Now()
	path := int(p.readyPath.Load())
	for tried := 1; ; tried++ {
		resp, err := p.send(p.requests.get(ctx, readyPaths[path], ""))
		if err != nil {
			failure := Classify(err, p.trace.at())
			p.unreached(failure, start, err)
			return failure, nil
		}
		failure, failing := judgeReady(readyPaths[path], resp, bodyOf(resp))
		if hidden(failure) && tried < len(readyPaths) {
			path = (path + 1) % len(readyPaths)
			continue
		}
		p.readyPath.Store(int32(path)) //nolint:gosec // an index into three paths
		p.verdict.FailingChecks = failing
		p.reached(failure, start)
		return p.explainHidden(failure), resp.Header
	}
}

// hidden reports whether the server refuses to show a readiness endpoint, which says nothing about its readiness.
func hidden(e *Error) bool { return e != nil && (e.Reason == NotFound || e.Reason == Forbidden) }

// explainHidden turns three endpoints that do not exist into a server that is none of Kubernetes'.
func (p *prober) explainHidden(e *Error) *Error {
	if e == nil || e.Reason != NotFound {
		return e
	}
	return NewError(MalformedResponse, PhaseBody, "none of /readyz, /livez and /healthz exists there", e)
}

func (p *prober) send(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	resp, err := p.roundTrip(req.WithContext(withTrace(ctx, p.trace)), probeWay)
	if err == nil {
		p.probing.learn(resp.StatusCode)
	}
	return resp, err
}

// reached records the checks of an answered readiness request.
func (p *prober) reached(failure *Error, start time.Time) {
	took := time.Since(start)
	if p.trace.fresh {
		took -= p.connectionChecks(nil)
	}
	check := Check{Kind: CheckReady, Outcome: Passed, Duration: took, FirstByte: p.trace.firstByte}
	if failure != nil {
		check = failed(CheckReady, took, p.trace.firstByte, failure)
	}
	p.verdict.Checks = append(p.verdict.Checks, check)
}

// unreached records the checks of a readiness request that was not answered.
func (p *prober) unreached(failure *Error, start time.Time, err error) {
	took := time.Since(start)
	if _, abandoned := errors.AsType[*abandonedError](err); p.trace.fresh && !abandoned {
		took -= p.connectionChecks(failure)
	}
	if failure.Phase < PhaseSend && p.trace.fresh {
		p.verdict.Checks = append(p.verdict.Checks, skipped(CheckReady, "not reached"))
		return
	}
	p.verdict.Checks = append(p.verdict.Checks, failed(CheckReady, took, 0, failure))
}

// connectionChecks records the steps of a fresh connection, the last of which may have failed, and returns their time.
func (p *prober) connectionChecks(failure *Error) (took time.Duration) {
	t := p.trace
	for _, s := range []struct {
		kind CheckKind
		step step
	}{{CheckDNS, t.dns}, {CheckTCP, t.connect}, {CheckTLS, t.handshake}} {
		took += s.step.took
		switch {
		case s.step.done:
			p.verdict.Checks = append(p.verdict.Checks, Check{Kind: s.kind, Outcome: Passed, Duration: s.step.took})
		case s.step.began && failure != nil:
			p.verdict.Checks = append(p.verdict.Checks, failed(s.kind, s.step.took, 0, failure))
		}
	}
	return took
}
