package monitor

import "github.com/clusterfleet/clusterfleet/internal/health"

// Record returns the record of one cluster, nil if it is not watched.
func (m *Monitor) Record(name string) *health.Record {
	for _, r := range m.Records() {
		if r.Subject.Name == name {
			return r
		}
	}
	return nil
}
