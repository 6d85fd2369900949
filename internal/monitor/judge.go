package monitor

import (
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

// judge asks whether the clusters fail or we do, and for more to go by where that is open.
func (m *Monitor) judge(now time.Time) {
	if now.Sub(m.judged) < judgeEvery {
		return
	}
	m.judged, m.cut = now, 0
	m.views = m.views[:0]
	var latest time.Time
	for _, e := range m.entries {
		if since, fails := e.status.FailingSince(); fails && e.watchable() && since.After(latest) {
			latest = since
		}
		if view, counts := e.status.View(); counts && !e.subject.Virtual && !e.subject.Maintenance {
			m.views = append(m.views, view)
			if !view.FailingSince.IsZero() {
				m.cut++
			}
		}
	}
	before := m.judgement.Suspect
	m.judgement = m.guard.Judge(m.judgement, now, m.views)
	m.board.suspect.Store(m.judgement.Suspect)
	if latest.After(m.judgement.Clear) {
		m.summon(now)
	}
	if m.judgement.Suspect != before {
		m.options.Log.Warn("the aggregator's own network is judged", "cut_off", m.judgement.Suspect, "clusters", len(m.views))
	}
}

// correlate looks for failures that clusters share, if anything has changed.
func (m *Monitor) correlate(now time.Time) {
	if !m.uneasy || now.Sub(m.correlated) < correlateEvery {
		return
	}
	m.uneasy, m.correlated = false, now
	records := make([]*health.Record, 0, len(m.entries))
	for _, e := range m.entries {
		records = append(records, e.record)
	}
	incidents := health.Correlate(records)
	m.board.shared.Store(&incidents)
	member := map[string]string{}
	for _, i := range incidents {
		for _, name := range i.Members {
			member[name] = i.ID
		}
	}
	for name, e := range m.entries {
		if e.incident == member[name] {
			continue
		}
		e.incident = member[name]
		next := *e.record
		next.Incident = e.incident
		e.record = &next
		m.board.put(e.record)
		m.changes.Publish(name, e.record)
	}
}
