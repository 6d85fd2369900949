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
}

// Failure counts one result that ended with the error.
func (s *Summary) Failure(e *cluster.Error) {
	if e.Reason == cluster.NotAttempted {
		s.NotAttempted++
		return
	}
	s.Failed++
}

// Probe counts one result.
func (s *Summary) Probe(r ProbeResult) {
	switch {
	case r.Skipped:
		s.Skipped++
	case r.Err != nil:
		s.Failure(r.Err)
	case r.Observation.Verdict.State == cluster.Healthy:
		s.Succeeded++
	default:
		s.Failed++
	}
}

// Fetch counts one batch.
func (s *Summary) Fetch(b *Batch) {
	if b.End == nil {
		return
	}
	s.Items += b.End.Items
	s.Bytes += b.End.Bytes
	switch {
	case b.End.Skipped:
		s.Skipped++
	case b.End.Err != nil:
		s.Failure(b.End.Err)
	default:
		s.Succeeded++
	}
}

// Get counts one result.
func (s *Summary) Get(r GetResult) {
	s.Bytes += r.Bytes
	switch {
	case r.Skipped:
		s.Skipped++
	case r.Err != nil:
		s.Failure(r.Err)
	default:
		s.Succeeded++
		s.Items++
	}
}
