package fleet

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// account completes the End of a cluster that has been read, whatever for, and counts it. queued is what the cluster waited for
// its turn in the call, took what followed, less what the caller took.
func (f *Fleet) account(m *member, end *End, queued, took time.Duration) {
	end.Duration = took - end.Queued
	end.Queued += queued
	if !end.Skipped && !end.known && (end.Err == nil || end.Err.Blame != cluster.BlameObserver) {
		m.pace.set(readWork, end.Duration)
	}
	f.metrics.ended(end)
}

// unread returns the End of a cluster of which the fan-out says why it has not come to an end of its own.
func (f *Fleet) unread(m *member, err error, queued, took time.Duration) *End {
	end := &End{Err: f.unfinished(m.name(), err), Queued: queued, Duration: took}
	f.metrics.ended(end)
	return end
}
