package monitor

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Monitor watches the clusters of a fleet. Its exported methods are safe for concurrent use.
type Monitor struct {
	prober  Prober
	options Options
	guard   health.Guard
	metrics *metrics
	board   board
	changes *broadcast.Hub[*health.Record]

	workers workers
	found   chan finding
	// noticed wakes the loop when there are other clusters.
	noticed chan struct{}

	mu        sync.Mutex // guards what follows
	entries   map[string]*entry
	restored  map[string]health.Snapshot
	schedule  schedule
	slots     slots
	judgement health.Judgement
	views     []health.View
	ticked    time.Time
	judged    time.Time
	summoned  time.Time
	looked    time.Time
	// cut counts clusters that failed at network level when the guard was asked last.
	cut int
	// uneasy says that incidents may have changed since correlated.
	uneasy     bool
	correlated time.Time
}

// New returns a monitor of no cluster. Nothing is probed before Run.
func New(prober Prober, options Options) *Monitor {
	if options.Rules == (health.Rules{}) {
		options.Rules = health.DefaultRules()
	}
	options.FullEvery = cmp.Or(options.FullEvery, defaultFullEvery)
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Keeper == nil {
		options.Keeper = forgetful{}
	}
	m := &Monitor{
		prober:   prober,
		options:  options,
		guard:    health.DefaultGuard().At(options.Rules.Interval),
		changes:  broadcast.New[*health.Record](),
		noticed:  make(chan struct{}, 1),
		entries:  map[string]*entry{},
		restored: make(map[string]health.Snapshot, len(options.Restored)),
		workers:  workers{jobs: make(chan job)},
		found:    make(chan finding),
	}
	for _, s := range options.Restored {
		m.restored[s.Cluster] = s
	}
	m.metrics = newMetrics(m)
	return m
}

// Apply makes these clusters the ones that are watched. Every trace of others goes. A cluster whose address or credential
// has changed is a new one. It returns when the records are those of these clusters.
func (m *Monitor) Apply(definitions []cluster.Definition) {
	m.mu.Lock()
	m.adopt(definitions, time.Now())
	m.mu.Unlock()
	select {
	case m.noticed <- struct{}{}:
	default: // it is to look already
	}
}

// Records returns the record of every cluster, in the order of their names. What has become stale since it was made is
// marked so.
func (m *Monitor) Records() []*health.Record {
	records := m.board.all(time.Now(), m.options.Rules.Stale)
	slices.SortFunc(records, func(a, b *health.Record) int { return strings.Compare(a.Subject.Name, b.Subject.Name) })
	return records
}

// Record returns the record of one cluster as Records does, nil if it is not watched.
func (m *Monitor) Record(name string) *health.Record {
	return m.board.get(name, time.Now(), m.options.Rules.Stale)
}

// Changes brings the records that have changed.
func (m *Monitor) Changes() *broadcast.Hub[*health.Record] { return m.changes }

// Incidents returns the failures that several clusters share.
func (m *Monitor) Incidents() []health.Incident { return m.board.incidents() }

// Run watches until ctx ends. All probes have ended when it returns.
func (m *Monitor) Run(ctx context.Context) error {
	probing, cancel := context.WithCancel(ctx)
	m.workers.do = func(j job) { m.probe(probing, j) }
	defer m.workers.end()
	defer m.drain()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			m.keepAll()
			return nil
		case <-m.noticed:
			timer.Reset(m.look(nil))
		case f := <-m.found:
			timer.Reset(m.look(&f))
		case <-timer.C:
			timer.Reset(m.look(nil))
		}
	}
}

// look takes in a finding, if there is one, does what time demands, and returns after which time it has to be called
// again.
func (m *Monitor) look(f *finding) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.notice(now)
	if f != nil {
		m.slots.release(f.entry, f.silent())
		m.learn(*f)
	}
	m.pass(now)
	m.dispatch(now)
	return m.wake(now).Sub(now)
}

// notice makes everything unknown if the process was stopped: the loop looks every second.
func (m *Monitor) notice(now time.Time) {
	paused := !m.looked.IsZero() && now.Sub(m.looked) > 2*m.options.Rules.Interval
	m.looked = now
	if !paused {
		return
	}
	m.options.Log.Warn("the process was stopped for a while: nothing is known any more")
	for _, e := range m.entries {
		if e.watchable() {
			status, change := m.options.Rules.Pause(e.status, now)
			m.move(e, status, change, now)
		}
	}
}

// move gives the cluster another status without a probe.
func (m *Monitor) move(e *entry, status health.Status, change *health.Change, now time.Time) {
	e.account(now, m.options.Rules.Stale)
	e.status = status
	before := e.record
	e.record = e.rebuild(now)
	m.tell(e, before, change)
}

// wake returns when the loop has to look again though nothing has come.
func (m *Monitor) wake(now time.Time) time.Time {
	at := now.Add(tick)
	if m.judgement.Suspect || m.cut > 0 {
		at = now.Add(judgeEvery)
	}
	if due, ok := m.schedule.next(); ok && due.Before(at) && due.After(now) {
		return due.Add(batch)
	}
	return at
}

// dispatch begins the probes whose time has come, as far as there are slots.
func (m *Monitor) dispatch(now time.Time) {
	for e := m.schedule.take(now); e != nil; e = m.schedule.take(now) {
		m.slots.wait(e)
	}
	for e := m.slots.take(now); e != nil; e = m.slots.take(now) {
		j := job{entry: e, name: e.subject.Name, depth: cluster.Quick, waited: now.Sub(e.due)}
		if !now.Before(e.nextFull) || e.thorough() {
			j.depth = cluster.Full
		}
		m.metrics.lag(j.waited)
		m.workers.give(j)
	}
	m.workers.thin(now, m.options.Rules.Interval)
}

// probe makes a probe and tells the loop what came of it.
func (m *Monitor) probe(ctx context.Context, j job) {
	f := finding{job: j, began: time.Now()}
	f.verdict, _ = m.prober.Check(ctx, j.name, j.depth) // an error says nothing about the cluster
	f.ended = time.Now()
	m.found <- f
}

// drain lets the probes end that are under way.
func (m *Monitor) drain() {
	for m.probing() {
		f := <-m.found
		m.mu.Lock()
		m.slots.release(f.entry, f.silent())
		m.mu.Unlock()
	}
}

// probing reports whether a probe is under way.
func (m *Monitor) probing() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slots.total > 0
}

// learn takes in what a probe has found, and says when the next one is due.
func (m *Monitor) learn(f finding) {
	e := f.entry
	if e.gone {
		return
	}
	m.metrics.probed(f)
	if f.verdict == nil || f.verdict.State == cluster.Unknown {
		m.schedule.add(e, f.began.Add(m.pace()))
		return
	}
	if f.depth == cluster.Full {
		e.nextFull = f.ended.Add(jittered(m.options.FullEvery))
		e.informed = f.verdict.State == cluster.Healthy
	}
	e.account(f.ended, m.options.Rules.Stale)
	m.observe(e, f)
	next := m.options.Rules.Next(e.status)
	if next >= m.options.Rules.Interval {
		m.schedule.add(e, f.began.Add(m.paceOf(e)))
		return
	}
	m.schedule.add(e, f.ended.Add(next))
}

// observe moves the cluster's automaton and publishes what follows.
func (m *Monitor) observe(e *entry, f finding) {
	v := f.verdict
	seen := health.Observation{State: v.State, Network: severed(v), At: f.ended, Took: f.ended.Sub(f.began), Waited: f.waited}
	if seen.Network {
		m.judge(f.ended)
	}
	status, change := m.options.Rules.Observe(e.status, seen, m.judgement)
	_, failed := e.status.FailingSince()
	if _, fails := status.FailingSince(); fails && !failed {
		m.summon(f.ended)
	}
	e.status = status
	change = e.resolve(change)
	if change != nil && change.To == cluster.Healthy && !e.informed {
		e.nextFull = f.ended
	}
	if v.State != cluster.Healthy {
		e.informed = false
	}
	if v.State == cluster.Healthy && f.depth == cluster.Quick {
		e.window.Add(v.Duration)
	}
	before := e.record
	next := e.rebuild(f.ended)
	next.Verdict, next.At, next.Restored = v, f.ended, false
	next.LastSuccess = e.status.LastSuccess
	if next.LastSuccess.IsZero() {
		next.LastSuccess = before.LastSuccess
	}
	if f.depth == cluster.Full && v.Expiries != nil {
		next.Expiries = v.Expiries
	}
	next.Latency, next.Availability = e.window.Quantiles(), e.uptime.Availability(f.ended)
	e.record = next
	m.tell(e, before, change)
}

// severed reports whether a probe failed at network level: silence on a connection that was kept may be the network's as
// well as the server's.
func severed(v *cluster.Verdict) bool {
	return v.State == cluster.Unreachable && (v.Blame == cluster.BlameNetwork || v.Reason == cluster.ResponseTimeout)
}

// pass lets time alone do its work on all clusters, every tick.
func (m *Monitor) pass(now time.Time) {
	pause := tick
	if m.judgement.Suspect || m.cut > 0 {
		pause = judgeEvery
	}
	if now.Sub(m.ticked) < pause {
		return
	}
	m.ticked = now
	m.judge(now)
	for _, e := range m.entries {
		if !e.watchable() {
			continue
		}
		status, change := m.options.Rules.Pass(e.status, now, m.judgement)
		if status.Cleared() && !e.status.Cleared() {
			m.schedule.hasten(e, later(now, status.LastProbe.Add(m.options.Rules.Next(status))))
		}
		calm := status.Flapping(now) == e.record.Flapping && status.Shown() == e.record.State
		if change == nil && calm {
			e.status = status
			continue
		}
		m.move(e, status, change, now)
	}
	m.correlate(now)
}

// paceOf is pace, but any part of it for the first time: clusters that were probed together, as all were at the start, are
// not from then on. If they were, a silent one would wait for the next round of the others to be cleared of being our fault.
func (m *Monitor) paceOf(e *entry) time.Duration {
	if e.paced {
		return m.pace()
	}
	e.paced = true
	return rand.N(m.pace()) //nolint:gosec // a time, no secret
}

// pace is the time from one probe of a cluster to the next: at the interval's short side of ±10 %, so that what fails
// just after a probe is still found within the interval.
func (m *Monitor) pace() time.Duration {
	interval := m.options.Rules.Interval
	return interval - rand.N(interval/10+1) //nolint:gosec // a time, no secret
}

// jittered returns d ± 10 %.
func jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) } //nolint:gosec // a time, no secret
