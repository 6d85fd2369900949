package fleet

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// ProbeRequest asks for connection tests.
type ProbeRequest struct {
	Selector Selector
	Depth    cluster.Depth
	// Timeout is what one cluster may take, the wait for its turn not included. 0: cluster.DefaultProbeTimeout.
	Timeout time.Duration
	// Limit is how many clusters are tested at once. 0: the fleet's.
	Limit int
}

// ProbeResult is what became of one cluster's probe.
type ProbeResult struct {
	Cluster string
	// Observation is what was found. It is never nil, but for skipped clusters.
	Observation *Observation
	// Err says why the probe did not end, as an *cluster.Error, nil if it did. It is no statement about the cluster.
	Err *cluster.Error
	// Skipped is set for virtual clusters.
	Skipped bool
}

// probeKey is what makes two probes the same.
type probeKey struct {
	member  *member
	depth   cluster.Depth
	timeout time.Duration
}

// Probe tests the selected clusters. When ctx ends, the clusters that are not done are yielded as unfinished at once.
func (f *Fleet) Probe(ctx context.Context, r ProbeRequest) (Run[ProbeResult], error) {
	members, err := f.selected(r.Selector)
	if err != nil {
		return Run[ProbeResult]{}, err
	}
	r.Timeout = cmp.Or(r.Timeout, cluster.DefaultProbeTimeout)
	probe := func(ctx context.Context, m *member) (*Observation, error) {
		if m.client == nil {
			return nil, nil //nolint:nilnil // a virtual cluster has neither
		}
		return f.flights.do(ctx, probeKey{m, r.Depth, r.Timeout})
	}
	results := func(yield func(ProbeResult) bool) {
		for part := range fanout.Each(ctx, slices.Values(f.ordered(members, probeWork)), f.limit(r.Limit), probe) {
			if !yield(f.probeResult(part, r.Depth)) {
				return
			}
		}
	}
	return Run[ProbeResult]{Expected: len(members), Results: results}, nil
}

// Check tests one cluster for the monitor, which bounds by itself how many it tests at once. It returns what Client.Probe
// does, or an *UnknownClusterError for a cluster that has no API server or has gone.
func (f *Fleet) Check(ctx context.Context, name string, depth cluster.Depth) (v *cluster.Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, f.unfinished(name, &fanout.PanicError{Value: p, Stack: debug.Stack()})
		}
	}()
	m, err := f.roster.Load().find(name)
	if err != nil {
		return nil, err
	}
	if m.client == nil {
		return nil, &UnknownClusterError{Names: []string{name}}
	}
	o, err := f.ask(ctx, probeKey{m, depth, cluster.DefaultProbeTimeout}, Monitor)
	if err != nil {
		return nil, f.unfinished(name, err)
	}
	return o.Verdict, nil
}

// probe makes a probe that a call asks for.
func (f *Fleet) probe(ctx context.Context, key probeKey) (*Observation, error) {
	return f.ask(ctx, key, Live)
}

// ask makes a probe. The monitor bounds its probes by itself: one a cluster. A caller's waits for the cluster's turn before
// the fleet's: what waits for one cluster takes no place from the others.
func (f *Fleet) ask(ctx context.Context, key probeKey, source Source) (*Observation, error) {
	m := key.member
	if source == Live {
		if err := m.turn(ctx); err != nil {
			return nil, cluster.Unfinished(cluster.PhaseQueue, err)
		}
		defer func() { <-m.probing }()
		if err := f.probes.Acquire(ctx, 1); err != nil {
			return nil, cluster.Unfinished(cluster.PhaseQueue, err)
		}
		defer f.probes.Release(1)
	}
	verdict, err := m.client.Probe(ctx, key.depth, key.timeout)
	if err != nil {
		return nil, err
	}
	m.pace.set(probeWork, verdict.Duration)
	o := Observation{Verdict: verdict, At: time.Now(), Source: source}
	if !conclusive(verdict, key.timeout) {
		return f.passing(m, o), nil
	}
	return f.latest.put(m, o), nil
}

// turn waits until no other caller's probe of the cluster runs.
func (m *member) turn(ctx context.Context) error {
	select {
	case m.probing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// passing returns an observation that is not stored.
func (f *Fleet) passing(m *member, o Observation) *Observation {
	o.LastSuccess = lastSuccess(f.latest.get(m), o)
	return &o
}

// conclusive reports whether a verdict says something about the cluster, rather than about us or the caller's haste.
func conclusive(v *cluster.Verdict, timeout time.Duration) bool {
	if v.State == cluster.Unknown {
		return false
	}
	if timeout >= cluster.DefaultProbeTimeout {
		return true
	}
	switch v.Reason {
	case cluster.ResponseTimeout, cluster.ConnectTimeout, cluster.QueueTimeout, cluster.DNSFailure, cluster.CredentialPluginFailed:
		return false
	default:
		return true
	}
}

func (f *Fleet) probeResult(r fanout.Result[*member, *Observation], depth cluster.Depth) ProbeResult {
	result := ProbeResult{Cluster: r.Key.name(), Observation: r.Value, Skipped: r.Key.client == nil}
	if r.Err == nil || result.Skipped {
		return result
	}
	result.Err = f.unfinished(r.Key.name(), r.Err)
	result.Observation = f.passing(r.Key, Observation{Verdict: unknown(result.Err, depth), At: time.Now(), Source: Live})
	return result
}

// unknown is the verdict of a probe that did not end.
func unknown(e *cluster.Error, depth cluster.Depth) *cluster.Verdict {
	return &cluster.Verdict{State: cluster.Unknown, Reason: e.Reason, Blame: e.Blame, Message: e.Message, Hint: e.Hint(), Depth: depth}
}

// unfinished turns whatever ended a cluster's turn into an error that says so.
func (f *Fleet) unfinished(name string, err error) *cluster.Error {
	if e, ok := errors.AsType[*cluster.Error](err); ok {
		return e
	}
	if p, ok := errors.AsType[*fanout.PanicError](err); ok {
		f.options.Log.Error("panic in the work on a cluster", "cluster", name, "panic", p.Value, "stack", string(p.Stack))
		return cluster.NewError(cluster.Internal, cluster.PhaseQueue, "the aggregator failed at this cluster; its log says why", nil)
	}
	if errors.Is(err, fanout.ErrNotAttempted) {
		return cluster.NewError(cluster.NotAttempted, cluster.PhaseQueue, "the call's time ran out while the cluster was still queued", err)
	}
	return cluster.Unfinished(cluster.PhaseWait, err) // left a probe for which others still wait
}
