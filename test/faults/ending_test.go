package faults_test

import (
	"slices"
	"testing"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// play shows the faults of the schedule and waits for its end.
func play(t *testing.T, plan *schedule.Schedule, h *checker.History, s *subject) {
	t.Helper()
	if err := plan.Play(t.Context(), h.Start, s.fleet); err != nil {
		t.Fatal(err)
	}
}

// pause lets the monitor's time pass.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// finish asks for what is known in the end.
func (s *subject) finish(t *testing.T, h *checker.History) {
	t.Helper()
	var err error
	if h.Final, err = s.list(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.Transitions, err = s.transitions(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// bounded checks what the aggregator used at most.
func (s *subject) bounded(t *testing.T, most resources) {
	t.Helper()
	n := len(s.fleet.Names())
	if most.rss == 0 || most.rss > mostResident || most.files > mostFiles+4*n || most.goroutines > mostGoroutines+8*n {
		t.Errorf("the aggregator used %s", most)
	}
}

// keepsSecrets looks through all that the aggregator has left, beside what callers were told.
func (s *subject) keepsSecrets(t *testing.T) {
	t.Helper()
	s.cage.Look("stdout", []byte(s.Stdout.String()))
	s.cage.Look("stderr", []byte(s.Stderr.String()))
	if err := s.cage.LookIn(s.dataDir); err != nil {
		t.Error(err)
	}
	found, read := s.cage.Found()
	slices.Sort(found)
	for _, f := range slices.Compact(found) {
		t.Errorf("a secret was told: %s", f)
	}
	t.Logf("%d KiB were looked through for secrets", read>>10)
	if read < 1<<20 {
		t.Errorf("only %d bytes were looked through for secrets", read)
	}
}

// told logs how much there was to be judged, and makes sure that there was some of everything.
func told(t *testing.T, plan *schedule.Schedule, h *checker.History) {
	t.Helper()
	kinds := map[string]int{}
	for _, e := range plan.Episodes {
		kinds[e.Name]++
	}
	events, probes, resumed, results, wrong := 0, 0, 0, 0, 0
	for _, w := range h.Watches {
		events += len(w.Seen)
		if len(w.Seen) > 0 && w.Token != "" && !w.Seen[0].Event.GetStarted().GetReset_() {
			resumed++
		}
	}
	for _, c := range h.Calls {
		results += len(c.Results)
		for _, r := range c.Results {
			if r.Error != nil {
				wrong++
			}
			if r.Observation != nil {
				probes++
			}
		}
	}
	down := 0
	for _, tr := range h.Transitions {
		if s := tr.GetTo(); s != fleetv1.Verdict_STATE_HEALTHY && s != fleetv1.Verdict_STATE_UNKNOWN {
			down++
		}
	}
	whole := schedule.Window{To: h.Now()}
	t.Logf("of %s the machine let the run wait for %s", whole.To.Round(time.Second), h.Stalled(whole).Round(time.Millisecond))
	t.Logf("%d faults of %d kinds; %d transitions, %d of them down; %d watches, %d resumed, %d events; %d calls, %d results, %d of them failures, %d of them probes",
		len(plan.Episodes), len(kinds), len(h.Transitions), down, len(h.Watches), resumed, events, len(h.Calls), results, wrong, probes)
	if len(kinds) < len(schedule.Acts()) {
		t.Errorf("only %d of %d kinds of faults were shown", len(kinds), len(schedule.Acts()))
	}
	if down == 0 || resumed == 0 || wrong == 0 || probes == 0 || len(h.Lists) == 0 {
		t.Error("that is too little to be judged")
	}
}
