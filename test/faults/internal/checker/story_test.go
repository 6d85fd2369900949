package checker_test

import (
	"encoding/base64"
	"encoding/binary"
	"time"

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

// story is a run in which cluster b refuses connections from 10 s to 40 s, and all that is told of it is right.
type story struct {
	plan    *schedule.Schedule
	history *checker.History
	// attentive watches all the time, resumed goes on behind the first of its two calls.
	attentive, first, resumed *checker.Watch
	probe, fetch, get         *checker.Call
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
	s.fetch, s.get = s.read(checker.Fetch, "x/1", "x/2"), s.read(checker.Get, "x/1")
	s.fetch.Objects = 2
	s.history.Calls = []*checker.Call{s.probe, s.fetch, s.get}
	s.history.Lists = []checker.List{{At: 25 * second, Clusters: []*fleetv1.ClusterHealth{proto.CloneOf(a), proto.CloneOf(b[1])}}}
	return s
}

// read is a call that reads of each cluster what is there of these objects.
func (s *story) read(kind checker.Kind, objects ...string) *checker.Call {
	return &checker.Call{
		Kind: kind, Clusters: []string{"a", "b"}, Began: 25 * second, Deadline: 35 * second, Ended: 26 * second,
		Started: []int32{2}, Summaries: []*fleetv1.Summary{{Expected: 2, Succeeded: 1, Failed: 1}},
		Results: []checker.Result{
			{At: 26 * second, Index: 0, Objects: objects},
			{At: 26 * second, Index: 1, Error: failure(codes.Unavailable, "CONNECTION_REFUSED")},
		},
	}
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
