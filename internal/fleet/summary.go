package fleet

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Summary counts what became of a run. Each expected result is in exactly one of the counts.
type Summary struct {
	Expected, Succeeded, Failed, Skipped, Truncated, NotAttempted int
	Duration                                                      time.Duration
	Items, Bytes                                                  int64
	DeadlineExceeded                                              bool
	// Queued and Busy are what all clusters together waited in the aggregator and took once it was their turn, Throttled is
	// how many asked to be asked less often. They count reads, not probes.
	Queued, Busy time.Duration
	Throttled    int
}

// failure counts one result that ended with the error.
func (s *Summary) failure(e *cluster.Error) {
	switch e.Reason {
	case cluster.NotAttempted, cluster.QueueTimeout:
		s.NotAttempted++
	default:
		s.Failed++
	}
}

// Probe counts one result.
func (s *Summary) Probe(r ProbeResult) {
	switch {
	case r.Skipped:
		s.Skipped++
	case r.Err != nil:
		s.failure(r.Err)
	case r.Observation.Verdict.State == cluster.Healthy:
		s.Succeeded++
	default:
		s.Failed++
	}
}

// Fetch counts one batch.
func (s *Summary) Fetch(b *Batch) {
	if b.End != nil {
		s.read(b.End)
	}
}

// read counts one cluster that was read, whatever for.
func (s *Summary) read(e *End) {
	s.Items += e.Items
	s.Bytes += e.Bytes
	s.Queued += e.Queued
	s.Busy += e.Duration
	if throttled(e.Err) {
		s.Throttled++
	}
	switch {
	case e.Skipped:
		s.Skipped++
	case e.Err != nil:
		s.failure(e.Err)
	case e.Truncated:
		s.Truncated++
	default:
		s.Succeeded++
	}
}

// Get counts one result.
func (s *Summary) Get(r GetResult) {
	s.Bytes += r.Bytes
	s.Queued += r.Queued
	s.Busy += r.Duration
	if r.Throttled {
		s.Throttled++
	}
	switch {
	case r.Skipped:
		s.Skipped++
	case r.Err != nil:
		s.failure(r.Err)
	default:
		s.Succeeded++
		s.Items++
	}
}

// throttled reports whether a cluster has asked to be asked less often.
func throttled(e *cluster.Error) bool {
	return e != nil && e.IsThrottling()
}
