package monitor

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Pace at which clusters that are new are probed for the first time: a few at once, a large fleet over a while, for each
// costs a TLS handshake and four requests.
const (
	fewApart  = 10 * time.Millisecond
	manyApart = 2 * time.Millisecond
)

// adopt makes the wanted clusters the ones that are watched.
func (m *Monitor) adopt(wanted []cluster.Definition, now time.Time) {
	var added []*entry
	kept := make(map[string]bool, len(wanted))
	for _, d := range wanted {
		kept[d.Name] = true
		e := m.entries[d.Name]
		if e != nil && same(e.definition, d) {
			m.rename(e, d)
			continue
		}
		if e != nil {
			m.dismiss(e)
			m.options.Keeper.Forget(d.Name) // it was of another
		}
		e = m.newEntry(d)
		m.entries[d.Name] = e
		m.board.put(e.record)
		m.changes.Publish(d.Name, e.record)
		if e.watchable() {
			added = append(added, e)
		}
	}
	for name, e := range m.entries {
		if !kept[name] {
			m.dismiss(e)
			m.board.remove(name)
			m.changes.Remove(name)
			m.options.Keeper.Forget(name)
		}
	}
	for name := range m.restored {
		if !kept[name] {
			m.options.Keeper.Forget(name)
		}
	}
	m.restored = nil
	m.uneasy = true
	m.slots.resize(len(m.entries))
	m.spread(added, now)
}

// spread gives new clusters their first times, evenly and in random order. Those that failed when they were last known come
// after the others: most of them still do, and take long.
func (m *Monitor) spread(added []*entry, now time.Time) {
	rand.Shuffle(len(added), func(i, j int) { added[i], added[j] = added[j], added[i] }) //nolint:gosec // an order, no secret
	slices.SortStableFunc(added, func(a, b *entry) int {
		switch {
		case a.failedBefore() == b.failedBefore():
			return 0
		case b.failedBefore():
			return -1
		}
		return 1
	})
	n := time.Duration(len(added))
	all := min(n*fewApart, max(m.options.Rules.Interval, n*manyApart))
	for i, e := range added {
		m.schedule.add(e, now.Add(all*time.Duration(i)/n))
	}
}

// same reports whether two definitions of a name are of the same cluster: the fleet keeps the configuration of one that
// has not changed.
func same(a, b cluster.Definition) bool { return a.Config == b.Config && a.Virtual == b.Virtual }

// rename takes over what may change in a cluster that stays.
func (m *Monitor) rename(e *entry, d cluster.Definition) {
	subject := subjectOf(d)
	e.definition = d
	if sameSubject(subject, e.subject) {
		return
	}
	now := time.Now()
	e.account(now, m.options.Rules.Stale)
	e.subject = subject
	before := e.record
	e.record = e.rebuild(now)
	m.tell(e, before, nil)
}

// dismiss forgets a cluster. A probe of it that is under way comes to nothing.
func (m *Monitor) dismiss(e *entry) {
	e.gone = true
	if e.index >= 0 {
		m.schedule.remove(e)
	}
	delete(m.entries, e.subject.Name)
}

func (m *Monitor) newEntry(d cluster.Definition) *entry {
	e := &entry{definition: d, subject: subjectOf(d), index: -1}
	e.record = &health.Record{Subject: e.subject, Availability: e.uptime.Availability(time.Now())}
	s, ok := m.restored[d.Name]
	switch {
	case !ok:
	case d.Virtual:
		m.options.Keeper.Forget(d.Name)
	default:
		e.restore(s)
	}
	return e
}

// restore begins with what was known when the process ended. It is shown as such until the cluster has been probed, and
// the guard counts on it: who is cut off when it starts accuses nobody either.
func (e *entry) restore(s health.Snapshot) {
	e.restored, e.told, e.restoredSince = s.State, s.State, s.Since
	if s.State == cluster.Unknown {
		e.restored = s.Known
	}
	e.status.Known, e.status.LastSuccess = e.restored, s.LastSuccess
	if e.uptime.UnmarshalBinary(s.Uptime) != nil {
		e.uptime = health.Uptime{} // kept by another version: it begins anew
	}
	e.record.Known, e.record.Since, e.record.At, e.record.LastSuccess = e.restored, s.Since, s.At, s.LastSuccess
	e.record.Verdict, e.record.Expiries, e.record.Restored = s.Verdict, s.Expiries, true
	e.record.Availability = e.uptime.Availability(time.Now())
}

func subjectOf(d cluster.Definition) *health.Subject {
	s := &health.Subject{Name: d.Name, Labels: d.Labels, Virtual: d.Virtual, Maintenance: d.Maintenance}
	if d.Config != nil {
		s.Traits = health.TraitsOf(d.Server(), d.Config.CAData, d.Labels)
	}
	return s
}
