package monitor

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// witnesses is how many clusters are probed before their time when another begins to fail at network level.
const witnesses = 16

// summon probes some healthy clusters soon while another fails at network level and has not been cleared of being our own
// fault: its failure is believed only once enough others were reached after it began, and in a small fleet, or in one whose
// clusters were probed together, that may take as long as an interval. It is done at most once in the time between two
// probes of a cluster that fails, so that it costs little whatever the fleet, and not while it is us who seem to fail.
func (m *Monitor) summon(now time.Time) {
	if m.judgement.Suspect || now.Sub(m.summoned) < m.options.Rules.Confirm {
		return
	}
	m.summoned = now
	called := 0
	for _, e := range m.entries { // in random order, so that it is not always the same ones
		due := now.Add(m.options.Rules.Confirm * time.Duration(called+1) / witnesses)
		if e.status.State != cluster.Healthy || e.failing() || e.subject.Maintenance || !m.schedule.hasten(e, due) {
			continue
		}
		if called++; called == witnesses {
			return
		}
	}
}
