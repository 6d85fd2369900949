package checker_test

import (
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAHistoryThatIsRightIsFaultless(t *testing.T) {
	s := tell()
	for _, v := range checker.Check(s.plan, s.history) {
		t.Error(v)
	}
}

// doctored is the story with something in it that breaks a rule.
type doctored struct {
	rule   string
	doctor func(*story)
}

// found checks that the rule is known to be broken.
func (d doctored) found(t *testing.T) {
	s := tell()
	d.doctor(s)
	rules := map[string]bool{}
	for _, v := range checker.Check(s.plan, s.history) {
		rules[v.Rule] = true
	}
	if !rules[d.rule] {
		t.Errorf("%q is not broken, only %v", d.rule, rules)
	}
}

func TestEachDoctoredHistoryIsFoundOut(t *testing.T) {
	for name, c := range map[string]doctored{
		"a state that does not go with its reason": {checker.RuleLegal, func(s *story) {
			told(s.attentive, 4).Observation.Verdict.Reason = fleetv1.Verdict_REASON_UNAUTHENTICATED
		}},
		"no reason":           {checker.RuleLegal, func(s *story) { told(s.attentive, 4).Observation.Verdict.Message = "" }},
		"a known state aside": {checker.RuleLegal, func(s *story) { told(s.attentive, 4).KnownState = fleetv1.Verdict_STATE_HEALTHY }},
		"a healthy cluster that is stale": {checker.RuleStale, func(s *story) {
			told(s.attentive, 5).Observation.Age = durationpb.New(40 * second)
		}},
		"a state that is forgotten": {checker.RuleBlind, func(s *story) { told(s.attentive, 6).State = fleetv1.Verdict_STATE_UNKNOWN }},
		"an observer that doubts itself": {checker.RuleBlind, func(s *story) {
			told(s.attentive, 4).ObserverSuspect = true
		}},
		"a failure where nothing is wrong": {checker.RuleTruth, func(s *story) {
			told(s.attentive, 6).Observation = s.observation(refused(), 59*second)
		}},
		"another reason than the fault's": {checker.RuleTruth, func(s *story) {
			told(s.attentive, 4).Observation.Verdict.Reason = fleetv1.Verdict_REASON_CONNECTION_RESET
		}},
		"health where a fault is": {checker.RuleTruth, func(s *story) {
			s.probe.Results[1].Observation = s.observation(fine(), 26*second)
		}},
		"a cluster without a fault that falls with the others": {checker.RuleSpread, func(s *story) {
			h := told(s.attentive, 6)
			h.State, h.KnownState = fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_STATE_UNREACHABLE
		}},
		"a fault that is told late": {checker.RuleDetected, func(s *story) {
			s.attentive.Seen[4].At = 28 * second
		}},
		"a fault that is told by another reason": {checker.RuleDetected, func(s *story) {
			told(s.attentive, 4).Observation.Verdict.Reason = fleetv1.Verdict_REASON_CONNECTION_RESET
		}},
		"a recovery that is told late":              {checker.RuleRecovered, func(s *story) { s.attentive.Seen[5].At = 58 * second }},
		"nobody who watches":                        {checker.RuleWatched, func(s *story) { s.attentive.Attentive = false }},
		"a transition from elsewhere":               {checker.RuleChain, func(s *story) { s.history.Transitions[0].From = fleetv1.Verdict_STATE_DEGRADED }},
		"a transition to where it was":              {checker.RuleChain, func(s *story) { s.history.Transitions[0].To = fleetv1.Verdict_STATE_UNREACHABLE }},
		"a sequence that goes back":                 {checker.RuleChain, func(s *story) { s.history.Transitions[0].Sequence = 3 }},
		"a transition without a cause":              {checker.RuleCause, func(s *story) { s.history.Transitions[1].Cluster = "a" }},
		"a transition by another cause":             {checker.RuleCause, func(s *story) { s.history.Transitions[1].Reason = fleetv1.Verdict_REASON_CONNECTION_RESET }},
		"a transition to a state of no such reason": {checker.RuleCause, func(s *story) { s.history.Transitions[1].To = fleetv1.Verdict_STATE_UNAUTHORIZED }},
		"a probe that reached what it calls unreachable": {checker.RuleLegal, func(s *story) {
			told(s.attentive, 4).Observation.Verdict.Checks = answered()
		}},
		"a probe that calls degraded what it never reached": {checker.RuleLegal, func(s *story) {
			fallAfterAnswer(s)
			told(s.attentive, 4).Observation.Verdict.Checks = nil
		}},
		"a recovery in the middle of a fault": {checker.RuleCause, func(s *story) {
			s.history.Transitions[0].OccurredAt = s.wall(30 * second)
		}},
		"a transition of a hiccup": {checker.RuleCause, func(s *story) {
			s.plan.Episodes[0].Want.Never, s.plan.Episodes[0].To = true, 14*second
		}},
		"a transition that nobody saw":  {checker.RuleHistory, func(s *story) { s.attentive.Seen = append(s.attentive.Seen[:4:4], s.attentive.Seen[5:]...) }},
		"a last transition nobody saw":  {checker.RuleHistory, func(s *story) { s.attentive.Seen = append(s.attentive.Seen[:5:5], s.attentive.Seen[6]) }},
		"a transition that is not kept": {checker.RuleHistory, func(s *story) { s.history.Transitions = s.history.Transitions[1:] }},
		"a revision that goes back":     {checker.RuleRevision, func(s *story) { s.attentive.Seen[5].Event.ResumeToken = token(2) }},
		"a revision of two changes":     {checker.RuleRevision, func(s *story) { s.attentive.Seen[5].Event.ResumeToken = token(3) }},
		"a revision of two kinds":       {checker.RuleSame, func(s *story) { told(s.resumed, 1).Flapping = true }},
		"a watch that does not start":   {checker.RuleShape, func(s *story) { s.attentive.Seen = s.attentive.Seen[1:] }},
		"an event without a token":      {checker.RuleShape, func(s *story) { s.attentive.Seen[5].Event.ResumeToken = "" }},
		"a change that a resumed watch misses": {checker.RuleGap, func(s *story) {
			s.resumed.Seen = append(s.resumed.Seen[:1:1], s.resumed.Seen[2])
		}},
		"a change that a snapshot misses": {checker.RuleGap, func(s *story) {
			s.first.Seen = append(s.first.Seen[:1:1], s.first.Seen[2:]...)
		}},
		"a watch that goes on by no token":    {checker.RuleReset, func(s *story) { s.resumed.Token = "" }},
		"a result that is lost":               {checker.RuleWhole, func(s *story) { s.probe.Results = s.probe.Results[:1] }},
		"a result that comes twice":           {checker.RuleWhole, func(s *story) { s.probe.Results[1].Index = 0 }},
		"a result after the summary":          {checker.RuleWhole, func(s *story) { s.probe.Results[1].Misplaced = true }},
		"a summary that is missing":           {checker.RuleWhole, func(s *story) { s.probe.Summaries = nil }},
		"a summary that does not add up":      {checker.RuleWhole, func(s *story) { s.probe.Summaries[0].Failed = 0 }},
		"two starts":                          {checker.RuleWhole, func(s *story) { s.probe.Started = []int32{2, 2} }},
		"a call that ends after its deadline": {checker.RuleDeadline, func(s *story) { s.probe.Ended = 36 * second }},
		"a call that fails":                   {checker.RuleDeadline, func(s *story) { s.probe.Err = status.Error(codes.Internal, "oh") }},
		"a call that fails at its end on a stalled machine": {checker.RuleDeadline, func(s *story) {
			endStalled(s, codes.Internal)
		}},
		"a result with another code":              {checker.RuleResult, func(s *story) { s.probe.Results[1].Error.Code = int32(codes.Internal) }},
		"a failure of a good cluster":             {checker.RuleResult, func(s *story) { s.probe.Results[0].Error = failure(codes.Unavailable, "CONNECTION_REFUSED") }},
		"a result of a dead cluster that is good": {checker.RuleResult, func(s *story) { s.probe.Results[1].Error = nil }},
		"a good cluster that waits for the dead": {checker.RuleLiving, func(s *story) {
			s.plan.Episodes[0].From = 0 // known for long
			s.probe.Results[0].At, s.probe.Ended = 31*second, 31*second
		}},
		"a list that knows other things": {checker.RuleFinal, func(s *story) { s.history.Final[1].State = fleetv1.Verdict_STATE_DEGRADED }},
		"a list that is not whole":       {checker.RuleFinal, func(s *story) { s.history.Final = s.history.Final[:1] }},
	} {
		t.Run(name, c.found)
	}
}
