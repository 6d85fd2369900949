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
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

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
// the verdict. An error, an *Error, is returned only if ctx ended first, or would before the probe's turn: it says in
// which phase, and nothing about the cluster.
func (c *Client) Probe(ctx context.Context, depth Depth, timeout time.Duration) (*Verdict, error) {
	place, err := c.probing.acquire(ctx)
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, Unfinished(PhaseQueue, err)
	}
	defer place.leave()
	start := time.Now()
	p := prober{Client: c, trace: &trace{fresh: depth == Full, terse: depth == Quick}, verdict: newVerdict(depth)}
	failure := p.run(ctx, timeout)
	if failure != nil && failure.StatusCode == 0 && ctx.Err() != nil {
		return nil, Unfinished(p.trace.at(), context.Cause(ctx))
	}
	p.verdict.conclude(failure)
	p.verdict.Duration = time.Since(start)
	known := c.facts.get()
	p.verdict.ServerVersion, p.verdict.Username = known.version, known.username
	return p.verdict, nil
}

// prober is one probe that runs.
type prober struct {
	*Client
	trace   *trace
	verdict *Verdict
}

func (p *prober) run(ctx context.Context, timeout time.Duration) *Error {
	failure := p.within(ctx, timeout)
	if failure != nil && isTimeout(failure) && p.trace.queued > timeout/2 {
		return NewError(QueueTimeout, PhaseQueue, "most of the probe's time went by while it waited for its turn in the aggregator", failure)
	}
	return failure
}

// within makes the checks. In a lean probe the wire looks at the clock.
func (p *prober) within(ctx context.Context, timeout time.Duration) *Error {
	if p.lean() {
		p.trace.deadline = time.Now().Add(timeout)
		return p.checks(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(withTrace(ctx, p.trace), timeout, errProbeTimeout)
	defer cancel()
	return p.checks(ctx)
}

func (p *prober) checks(ctx context.Context) *Error {
	if p.verdict.Depth == Full {
		return p.full(ctx)
	}
	failure, _ := p.ready(ctx)
	return failure
}

// ready makes the READY check and, on a fresh connection, the checks before it. It returns the header of the answer, nil
// if there was none.
func (p *prober) ready(ctx context.Context) (*Error, http.Header) {
	start := time.Now()
	path := int(p.readyPath.Load())
	if p.verdict.Depth == Full {
		path = 0 // what was hidden once may have come back
	}
	for tried := 1; ; tried++ {
		resp, err := p.askReady(ctx, path)
		if err != nil {
			failure := p.explainRejected(Classify(err, p.trace.at()), nil)
			p.unreached(failure, start)
			return failure, nil
		}
		p.trace.fresh = false // it has been made
		failure, failing := judgeReady(readyPaths[path], resp)
		if hidden(failure) && tried < len(readyPaths) {
			path = (path + 1) % len(readyPaths)
			continue
		}
		failure = p.explainRejected(explainHidden(failure), resp.Request)
		p.readyPath.Store(int32(path))
		p.verdict.FailingChecks = failing
		p.reached(failure, start)
		return failure, resp.Header
	}
}

// hidden reports whether the server refuses to show an endpoint, which says nothing about its readiness.
func hidden(e *Error) bool { return e != nil && (e.Reason == NotFound || e.Reason == Forbidden) }

// explainHidden turns three endpoints that do not exist into a server that is none of Kubernetes'.
func explainHidden(e *Error) *Error {
	if e == nil || e.Reason != NotFound {
		return e
	}
	return strange(e, "none of /readyz, /livez and /healthz exists there")
}

// strange returns the error of a server that does not answer as Kubernetes does.
func strange(e *Error, message string) *Error {
	s := NewError(MalformedResponse, e.Phase, message, e)
	s.StatusCode = e.StatusCode
	return s
}

// lean reports whether nothing but the wire takes time: no file is read and no plugin run for the credential.
func (p *prober) lean() bool { return p.verdict.Depth == Quick && p.requests.fixed }

func (p *prober) askReady(ctx context.Context, path int) (*http.Response, error) {
	if !p.lean() {
		return p.send(p.requests.get(ctx, readyPaths[path], ""))
	}
	return p.answered(p.roundTrip(func(t *transports) (*http.Response, error) {
		return t.wire.send(ctx, outgoing{requests: &p.requests, path: path}, p.trace)
	}))
}

func (p *prober) send(req *http.Request) (*http.Response, error) {
	return p.answered(p.roundTrip(by(probeWay, req)))
}

// answered lets the limits of the cluster learn from an answer. No pause is kept: API servers ask for none, and probes, a
// few bytes every few seconds, are how we know when a cluster is well again.
func (p *prober) answered(resp *http.Response, err error) (*http.Response, error) {
	if err == nil {
		p.probing.learn(resp.StatusCode, 0)
	}
	return resp, err
}

// reached records the checks of an answered readiness request.
func (p *prober) reached(failure *Error, start time.Time) {
	took := time.Since(start) - p.connectionChecks(nil)
	check := Check{Kind: CheckReady, Outcome: Passed, Duration: took, FirstByte: p.trace.firstByte}
	if failure != nil {
		check = failed(CheckReady, took, p.trace.firstByte, failure)
	}
	p.verdict.Checks = append(p.verdict.Checks, check)
}

// unreached records the checks of a readiness request that was not answered.
func (p *prober) unreached(failure *Error, start time.Time) {
	took := time.Since(start) - p.connectionChecks(failure)
	check := failed(CheckReady, took, 0, failure)
	if p.verdict.Depth == Full && failure.Phase < PhaseSend {
		check = skipped(CheckReady, "not reached")
	}
	p.verdict.Checks = append(p.verdict.Checks, check)
}

// connectionChecks records the steps of a full probe's connection, the last of which may have failed, and returns their
// time.
func (p *prober) connectionChecks(failure *Error) (took time.Duration) {
	if p.verdict.Depth != Full {
		return 0
	}
	t := p.trace
	if t.connect.began && !t.dns.began {
		p.verdict.Checks = append(p.verdict.Checks, skipped(CheckDNS, "the server is named by its address"))
	}
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
