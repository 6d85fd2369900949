package checker_test

import (
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

func TestAListIsComparedWithWhatWatchersKnowSoFar(t *testing.T) {
	s := tell()
	if err := s.history.Disagree(s.history.Final); err != nil {
		t.Error(err)
	}
	s.history.Final[1].State = fleetv1.Verdict_STATE_DEGRADED
	if err := s.history.Disagree(s.history.Final); err == nil {
		t.Error("a list that knows other things is not found out")
	}
	s.attentive.See(changed(0, 6, s.history.Final[1]).Event)
	if err := s.history.Disagree(s.history.Final); err != nil {
		t.Errorf("what has been told since is not seen: %v", err)
	}
}
