package server_test

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// monitor is a monitor of what the test says.
type monitor struct {
	hub *broadcast.Hub[*health.Record]

	mu      sync.Mutex
	records map[string]*health.Record
}

func newMonitor(records ...*health.Record) *monitor {
	m := &monitor{hub: broadcast.New[*health.Record](), records: make(map[string]*health.Record)}
	for _, r := range records {
		m.publish(r)
	}
	return m
}

func (m *monitor) Changes() *broadcast.Hub[*health.Record] { return m.hub }

func (m *monitor) Records() []*health.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var records []*health.Record
	for _, name := range slices.Sorted(maps.Keys(m.records)) {
		records = append(records, m.records[name])
	}
	return records
}

func (m *monitor) Record(name string) *health.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[name]
}

func (m *monitor) publish(r *health.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[r.Subject.Name] = r
	m.hub.Publish(r.Subject.Name, r)
}

func (m *monitor) remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, name)
	m.hub.Remove(name)
}

// record returns the record of a cluster in a state; labels are keys and values.
func record(name string, state cluster.State, labels ...string) *health.Record {
	r := &health.Record{
		Subject:      &health.Subject{Name: name, Labels: map[string]string{}},
		State:        state,
		Known:        state,
		Availability: health.Availability{Hour: -1, Day: -1, Month: -1},
	}
	for i := 0; i < len(labels); i += 2 {
		r.Subject.Labels[labels[i]] = labels[i+1]
	}
	return r
}

// failing returns the record of a cluster of which there is much to say.
func failing(name string) *health.Record {
	r := record(name, cluster.Unreachable, "env", "prod", "region", "eu-west-1", "team", "payments", "tier", "gold")
	e := cluster.NewError(cluster.ConnectTimeout, cluster.PhaseConnect, "no answer from 10.2.0.17:6443 within 3 s", nil)
	now := time.Now()
	r.Since, r.At, r.LastSuccess = now.Add(-time.Minute), now, now.Add(-time.Hour)
	r.Verdict = &cluster.Verdict{
		State: cluster.Unreachable, Reason: e.Reason, Blame: e.Blame, Message: e.Message, Hint: e.Hint(),
		Depth: cluster.Full, Duration: 3 * time.Second,
		Checks: []cluster.Check{
			{Kind: 1, Outcome: 1, Duration: time.Millisecond},
			{Kind: 2, Outcome: 2, Duration: 3 * time.Second, Message: e.Message, Reason: e.Reason},
			{Kind: 3, Outcome: 3, Message: "not connected"},
		},
	}
	r.Expiries = []cluster.Expiry{{Kind: 1, At: now.Add(time.Hour)}, {Kind: 2, At: now.Add(time.Hour)}}
	r.Latency = health.Quantiles{P50: time.Millisecond, P90: 2 * time.Millisecond, P99: 3 * time.Millisecond, N: 100}
	r.Availability = health.Availability{Hour: 0.5, Day: 0.9, Month: 1}
	return r
}
