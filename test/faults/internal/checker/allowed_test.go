package checker_test

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

func answered() []*fleetv1.Check {
	return []*fleetv1.Check{{Kind: fleetv1.Check_KIND_READY, Outcome: fleetv1.Check_OUTCOME_PASSED}}
}

// fallAfterAnswer tells that b was ready before it refused: it is degraded then.
func fallAfterAnswer(s *story) {
	const degraded = fleetv1.Verdict_STATE_DEGRADED
	for _, h := range []*fleetv1.ClusterHealth{told(s.attentive, 4), told(s.resumed, 1)} {
		v := h.GetObservation().GetVerdict()
		h.State, h.KnownState, v.State, v.Checks = degraded, degraded, degraded, answered()
	}
	s.history.Transitions[1].To, s.history.Transitions[0].From = degraded, degraded
}

// endStalled has the call fail at its deadline, while the machine made it wait.
func endStalled(s *story, code codes.Code) {
	s.probe.Ended, s.probe.Err = 35*second, status.Error(code, "it failed")
	s.history.Stall(schedule.Window{From: 34 * second, To: 35 * second})
}

func TestWhatMayBeToldInAnotherWayIsFaultless(t *testing.T) {
	for name, doctor := range map[string]func(*story){
		"a cluster that was ready before it could not be reached": fallAfterAnswer,
		"a promise that is kept later by as much as the machine was stalled": func(s *story) {
			s.attentive.Seen[4].At = 28 * second
			s.history.Stall(schedule.Window{From: 20 * second, To: 21500 * time.Millisecond})
		},
		"a call that runs out of its time where the machine was stalled": func(s *story) { endStalled(s, codes.DeadlineExceeded) },
	} {
		t.Run(name, func(t *testing.T) {
			s := tell()
			doctor(s)
			for _, v := range checker.Check(s.plan, s.history) {
				t.Error(v)
			}
		})
	}
}
