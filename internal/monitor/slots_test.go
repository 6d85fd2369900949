package monitor

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

func TestFirstProbesThatAreLateAreMadeUpForWithoutARush(t *testing.T) {
	var s slots
	s.resize(10_000)
	for range 1000 {
		s.wait(&entry{record: &health.Record{}})
	}
	start := time.Now()
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{0, mostFirst}, {100 * time.Millisecond, 0}, {mostFirstIn, mostFirst}, {mostFirstIn + 1, 0}, {2 * mostFirstIn, mostFirst}} {
		var begun []*entry
		for e := s.take(start.Add(step.at)); e != nil; e = s.take(start.Add(step.at)) {
			begun = append(begun, e)
		}
		if len(begun) != step.want {
			t.Errorf("%d first probes began after %v, want %d", len(begun), step.at, step.want)
		}
		for _, e := range begun {
			s.release(e, false)
		}
	}
}
