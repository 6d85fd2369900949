package monitor

import (
	"maps"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// forgetful is a Keeper that keeps nothing.
type forgetful struct{}

// Append does nothing.
func (forgetful) Append(health.Transition) {}

// Save does nothing.
func (forgetful) Save(...health.Snapshot) {}

// Forget does nothing.
func (forgetful) Forget(string) {}

// tell shows the entry's record to readers and, if it says something new, to watchers and the keeper.
func (m *Monitor) tell(e *entry, before *health.Record, change *health.Change) {
	m.board.put(e.record)
	m.transit(e, change)
	if change == nil && !differs(before, e.record) {
		m.changes.Refresh(e.subject.Name, e.record)
		if now := e.record.At; now.Sub(e.saved) >= saveEvery {
			m.keep(e, now)
		}
		return
	}
	m.uneasy = true
	m.changes.Publish(e.subject.Name, e.record)
	m.keep(e, time.Now())
}

func (m *Monitor) keep(e *entry, now time.Time) {
	e.saved = now
	m.options.Keeper.Save(e.snapshot())
}

// keepAll keeps what is known at the end, ages included.
func (m *Monitor) keepAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.watchable() && !e.record.At.IsZero() {
			e.account(time.Now(), m.options.Rules.Stale)
			m.options.Keeper.Save(e.snapshot())
		}
	}
}

// transit records a change of state.
func (m *Monitor) transit(e *entry, change *health.Change) {
	if change == nil {
		return
	}
	t := health.Transition{
		Cluster: e.subject.Name, At: change.At, From: change.From, To: change.To, Lasted: change.Lasted, Flapping: change.Flapping,
	}
	if v := e.record.Verdict; v != nil && change.To != cluster.Healthy && change.To != cluster.Unknown {
		t.Reason, t.Blame, t.Message = v.Reason, v.Blame, v.Message
	}
	m.metrics.transited(t)
	m.options.Log.Info("cluster changed its state", "cluster", t.Cluster, "from", t.From, "to", t.To, "reason", t.Reason, "message", t.Message)
	m.options.Keeper.Append(t)
}

// differs reports whether a record says something that watchers want to know. Times, latencies and the words of a message,
// which may hold ports and durations, change with every probe.
func differs(a, b *health.Record) bool {
	if a.State != b.State || a.Known != b.Known || a.Suspect != b.Suspect || a.Flapping != b.Flapping ||
		a.Restored != b.Restored || a.Incident != b.Incident || !sameSubject(a.Subject, b.Subject) ||
		!slices.Equal(a.Expiries, b.Expiries) {
		return true
	}
	if (a.Verdict == nil) != (b.Verdict == nil) {
		return true
	}
	return a.Verdict != nil && !sameFinding(a.Verdict, b.Verdict)
}

func sameFinding(a, b *cluster.Verdict) bool {
	return a.State == b.State && a.Reason == b.Reason && a.Blame == b.Blame && a.ServerVersion == b.ServerVersion &&
		a.Username == b.Username && slices.Equal(a.FailingChecks, b.FailingChecks)
}

func sameSubject(a, b *health.Subject) bool {
	return a == b || a.Virtual == b.Virtual && a.Maintenance == b.Maintenance && a.Traits == b.Traits && maps.Equal(a.Labels, b.Labels)
}
