package checker_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

func TestWhatIsLostOrForgottenInTheMiddleOfARunIsFoundOut(t *testing.T) {
	list := func(s *story) *checker.List { return &s.history.Lists[0] }
	for name, c := range map[string]doctored{
		"a list that leaves a cluster out": {checker.RuleList, func(s *story) { list(s).Clusters = list(s).Clusters[:1] }},
		"a list that is empty":             {checker.RuleList, func(s *story) { list(s).Clusters = nil }},
		"a list with a cluster twice":      {checker.RuleList, func(s *story) { list(s).Clusters[1] = list(s).Clusters[0] }},
		"a last list with a cluster twice": {checker.RuleFinal, func(s *story) { s.history.Final[1] = s.history.Final[0] }},
		"a list to which all is unknown": {checker.RuleBlind, func(s *story) {
			for i, h := range list(s).Clusters {
				list(s).Clusters[i] = &fleetv1.ClusterHealth{Cluster: h.GetCluster(), State: fleetv1.Verdict_STATE_UNKNOWN}
			}
		}},
		"a cluster that is unknown when a watch goes on": {checker.RuleBlind, func(s *story) { told(s.resumed, 1).State = fleetv1.Verdict_STATE_UNKNOWN }},
		"a cluster that is known from an earlier life":   {checker.RuleLegal, func(s *story) { told(s.attentive, 6).Restored = true }},
		"a fetch that finds nothing":                     {checker.RuleContent, func(s *story) { s.fetch.Results[0].Objects = nil }},
		"a fetch that finds too little":                  {checker.RuleContent, func(s *story) { s.fetch.Results[0].Objects = []string{"x/1"} }},
		"a fetch that finds one twice":                   {checker.RuleContent, func(s *story) { s.fetch.Results[0].Objects = []string{"x/1", "x/1"} }},
		"a fetch that finds too much":                    {checker.RuleContent, func(s *story) { s.fetch.Results[0].Objects = []string{"x/1", "x/2", "x/3"} }},
		"a get without its object":                       {checker.RuleContent, func(s *story) { s.get.Results[0].Objects = nil }},
		"a get that fails with an object":                {checker.RuleContent, func(s *story) { s.get.Results[1].Objects = []string{"x/1"} }},
		"a probe that is good and has seen nothing":      {checker.RuleContent, func(s *story) { s.probe.Results[0].Observation = nil }},
		"a probe that is good and has seen a failure": {checker.RuleContent, func(s *story) {
			s.probe.Results[0].Observation = s.observation(refused(), 26*second)
		}},
		"a probe that tells what was seen before": {checker.RuleContent, func(s *story) {
			s.probe.Results[0].Observation = s.observation(fine(), 24*second)
		}},
	} {
		t.Run(name, c.found)
	}
}

func TestWhatIsToldAsATimeoutMustHaveTakenItsTime(t *testing.T) {
	// outOfTime has all that b answers to reads be that there was no time left.
	outOfTime := func(s *story) {
		s.fetch.Results[1].Error = failure(codes.DeadlineExceeded, "NOT_ATTEMPTED")
		s.fetch.Summaries = []*fleetv1.Summary{{Expected: 2, Succeeded: 1, NotAttempted: 1, DeadlineExceeded: true}}
	}
	doctored{checker.RuleResult, outOfTime}.found(t)
	for name, doctor := range map[string]func(*story){
		"at the end of the call": func(s *story) { s.fetch.Results[1].At, s.fetch.Ended = 34500*time.Millisecond, 34600*time.Millisecond },
		"by a fault that lets all wait": func(s *story) {
			e := &s.plan.Episodes[0]
			e.Want.Read = slices.Concat(e.Want.Found, []schedule.Finding{{
				State: fleetv1.Verdict_STATE_UNREACHABLE, Reason: fleetv1.Verdict_REASON_RESPONSE_TIMEOUT,
				Blame: fleetv1.Verdict_BLAME_CONTROL_PLANE, Code: codes.DeadlineExceeded,
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell()
			outOfTime(s)
			doctor(s)
			for _, v := range checker.Check(s.plan, s.history) {
				t.Error(v)
			}
		})
	}
}
