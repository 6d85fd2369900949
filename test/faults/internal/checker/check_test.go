package checker_test

import (
	"encoding/base64"
	"encoding/binary"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// story is a run in which cluster b refuses connections from 10 s to 40 s, and all that is told of it is right.
type story struct {
	plan    *schedule.Schedule
	history *checker.History
	// attentive watches all the time, resumed goes on behind the first of its two calls.
	attentive, first, resumed *checker.Watch
	probe                     *checker.Call
}

func refused() *fleetv1.Verdict {
	return &fleetv1.Verdict{
		State: fleetv1.Verdict_STATE_UNREACHABLE, Reason: fleetv1.Verdict_REASON_CONNECTION_REFUSED, Blame: fleetv1.Verdict_BLAME_NETWORK,
		Message: "the connection was refused", Duration: durationpb.New(time.Millisecond), Depth: fleetv1.Verdict_DEPTH_QUICK,
	}
}

func fine() *fleetv1.Verdict {
	return &fleetv1.Verdict{State: fleetv1.Verdict_STATE_HEALTHY, Duration: durationpb.New(time.Millisecond), Depth: fleetv1.Verdict_DEPTH_QUICK}
}

const second = time.Second

func tell() *story {
	s := &story{
		plan: &schedule.Schedule{
			Clusters: []string{"a", "b"},
			Length:   60 * second,
			Episodes: []schedule.Episode{{
				Cluster: "b", Name: "refuse", Window: schedule.Window{From: 10 * second, To: 40 * second},
				Want: schedule.Want{
					Found: []schedule.Finding{{
						State: fleetv1.Verdict_STATE_UNREACHABLE, Reason: fleetv1.Verdict_REASON_CONNECTION_REFUSED,
						Blame: fleetv1.Verdict_BLAME_NETWORK, Code: codes.Unavailable,
					}},
					Within: 15 * second, Recovered: 15 * second,
				},
			}},
		},
		history: checker.NewHistory(),
	}
	up, down, again := s.wall(-20*second), s.wall(20*second), s.wall(50*second)
	a := s.health("a", fine(), up, 0)
	b := []*fleetv1.ClusterHealth{s.health("b", fine(), up, 0), s.health("b", refused(), down, 20*second), s.health("b", fine(), again, 50*second)}
	s.attentive = s.watch("attentive", "", true,
		started(0, true), changed(0, 1, a), changed(0, 2, b[0]), synced(0, 2), changed(20*second, 3, b[1]), changed(50*second, 4, b[2]), changed(59*second, 5, s.health("a", fine(), up, 59*second)))
	s.first = s.watch("restless", "", false, started(0, true), changed(0, 1, a), changed(0, 2, b[0]), synced(0, 2))
	s.resumed = s.watch("restless", token(2), false, started(30*second, false), changed(30*second, 3, b[1]), synced(30*second, 3))
	s.history.Transitions = []*fleetv1.Transition{
		{Sequence: 4, Cluster: "b", OccurredAt: again, From: fleetv1.Verdict_STATE_UNREACHABLE, To: fleetv1.Verdict_STATE_HEALTHY},
		{
			Sequence: 3, Cluster: "b", OccurredAt: down, From: fleetv1.Verdict_STATE_HEALTHY, To: fleetv1.Verdict_STATE_UNREACHABLE,
			Reason: fleetv1.Verdict_REASON_CONNECTION_REFUSED, Blame: fleetv1.Verdict_BLAME_NETWORK, Message: "the connection was refused",
		},
		{Sequence: 2, Cluster: "b", OccurredAt: up, From: fleetv1.Verdict_STATE_UNKNOWN, To: fleetv1.Verdict_STATE_HEALTHY},
		{Sequence: 1, Cluster: "a", OccurredAt: up, From: fleetv1.Verdict_STATE_UNKNOWN, To: fleetv1.Verdict_STATE_HEALTHY},
	}
	s.history.Final = []*fleetv1.ClusterHealth{proto.CloneOf(a), proto.CloneOf(b[2])}
	s.probe = &checker.Call{
		Kind: checker.Probe, Clusters: []string{"a", "b"}, Began: 25 * second, Deadline: 35 * second, Ended: 26 * second,
		Started: []int32{2}, Summaries: []*fleetv1.Summary{{Expected: 2, Succeeded: 1, Failed: 1}},
		Results: []checker.Result{
			{At: 26 * second, Index: 0, Observation: s.observation(fine(), 26*second)},
			{At: 26 * second, Index: 1, Observation: s.observation(refused(), 26*second), Error: failure(codes.Unavailable, "CONNECTION_REFUSED")},
		},
	}
	s.history.Calls = []*checker.Call{s.probe}
	return s
}

func (s *story) wall(at time.Duration) *timestamppb.Timestamp {
	return timestamppb.New(s.history.Start.Add(at))
}

func (s *story) observation(v *fleetv1.Verdict, at time.Duration) *fleetv1.Observation {
	return &fleetv1.Observation{Verdict: v, ObservedAt: s.wall(at), Age: durationpb.New(0)}
}

func (s *story) health(name string, v *fleetv1.Verdict, since *timestamppb.Timestamp, at time.Duration) *fleetv1.ClusterHealth {
	return &fleetv1.ClusterHealth{Cluster: name, State: v.GetState(), KnownState: v.GetState(), Since: since, Observation: s.observation(v, at)}
}

func (s *story) watch(who, token string, attentive bool, seen ...checker.Sight) *checker.Watch {
	w := s.history.Watch(who, token, attentive)
	w.Seen = seen
	return w
}

func token(revision uint64) string {
	b := binary.BigEndian.AppendUint64([]byte{1}, 7)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, revision))
}

func started(at time.Duration, reset bool) checker.Sight {
	return checker.Sight{At: at, Event: &fleetv1.WatchClusterHealthResponse{
		Event: &fleetv1.WatchClusterHealthResponse_Started_{Started: &fleetv1.WatchClusterHealthResponse_Started{Reset_: reset}},
	}}
}

func changed(at time.Duration, revision uint64, h *fleetv1.ClusterHealth) checker.Sight {
	return checker.Sight{At: at, Event: &fleetv1.WatchClusterHealthResponse{
		Event: &fleetv1.WatchClusterHealthResponse_Changed{Changed: proto.CloneOf(h)}, ResumeToken: token(revision),
	}}
}

func synced(at time.Duration, revision uint64) checker.Sight {
	return checker.Sight{At: at, Event: &fleetv1.WatchClusterHealthResponse{
		Event: &fleetv1.WatchClusterHealthResponse_Synced_{Synced: &fleetv1.WatchClusterHealthResponse_Synced{}}, ResumeToken: token(revision),
	}}
}

func failure(code codes.Code, reason string) *statuspb.Status {
	s, err := status.New(code, "it failed").WithDetails(&errdetails.ErrorInfo{Domain: "clusterfleet", Reason: reason})
	if err != nil {
		panic(err)
	}
	return s.Proto()
}

// told returns what a watch was told of at an index.
func told(w *checker.Watch, i int) *fleetv1.ClusterHealth { return w.Seen[i].Event.GetChanged() }

func TestAHistoryThatIsRightIsFaultless(t *testing.T) {
	s := tell()
	for _, v := range checker.Check(s.plan, s.history) {
		t.Error(v)
	}
}

func TestEachDoctoredHistoryIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		rule   string
		doctor func(*story)
	}{
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
		t.Run(name, func(t *testing.T) {
			s := tell()
			c.doctor(s)
			rules := map[string]bool{}
			for _, v := range checker.Check(s.plan, s.history) {
				rules[v.Rule] = true
			}
			if !rules[c.rule] {
				t.Errorf("%q is not broken, only %v", c.rule, rules)
			}
		})
	}
}
