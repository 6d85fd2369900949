package checker

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// The rules of calls with a result for each cluster.
const (
	RuleWhole    = "a call starts, has each result once, and its summary"
	RuleDeadline = "a call ends well, by its deadline"
	RuleResult   = "a result is what its cluster's fault makes it, and good where there is none"
)

// headroom is how long before a call's deadline the aggregator begins to end it.
const headroom = time.Second

// calls checks each call.
func (j *judge) calls() {
	for _, c := range j.history.Calls {
		if c.Left {
			continue
		}
		j.complete(c)
		j.results(c)
		j.living(c)
	}
}

func (j *judge) complete(c *Call) {
	late := c.Ended > c.Deadline && c.Err == nil || status.Code(c.Err) == codes.DeadlineExceeded
	if late && j.starved(schedule.Window{From: c.Deadline - headroom, To: c.Ended}) {
		return
	}
	if c.Err != nil || c.Ended > c.Deadline {
		j.violate(RuleDeadline, c.Ended, "%s ended at %.3fs, due at %.3fs: %v", c, c.Ended.Seconds(), c.Deadline.Seconds(), c.Err)
		return
	}
	n := len(c.Clusters)
	if len(c.Started) != 1 || int(c.Started[0]) != n || len(c.Summaries) != 1 || len(c.Results) != n {
		j.violate(RuleWhole, c.Ended, "%s has started %v, %d results, %d summaries", c, c.Started, len(c.Results), len(c.Summaries))
		return
	}
	met := make([]bool, n)
	var good, bad, untried int32
	for _, r := range c.Results {
		if r.Misplaced || r.Index < 0 || r.Index >= n || met[r.Index] {
			j.violate(RuleWhole, r.At, "%s has a result that is out of its place, or comes again: %d", c, r.Index)
			return
		}
		met[r.Index] = true
		switch {
		case r.Error == nil:
			good++
		case reason(r.Error) == "NOT_ATTEMPTED", reason(r.Error) == "QUEUE_TIMEOUT": // its turn did not come
			untried++
		default:
			bad++
		}
	}
	s := c.Summaries[0]
	if s.GetExpected() != int32(n) || s.GetSucceeded() != good || s.GetFailed() != bad || s.GetNotAttempted() != untried ||
		s.GetSkipped() != 0 || s.GetTruncated() != 0 {
		j.violate(RuleWhole, c.Ended, "%s has %d good, %d bad, %d untried, and sums up %v", c, good, bad, untried, s)
	}
}

func (j *judge) results(c *Call) {
	for _, r := range c.Results {
		if r.Index < 0 || r.Index >= len(c.Clusters) {
			continue // told already
		}
		name := c.Clusters[r.Index]
		j.content(c, name, r)
		if r.Observation != nil {
			j.observation(c.String(), r.At, name, r.Observation)
		}
		span := schedule.Window{From: c.Began, To: r.At}
		if j.schedule.InBlind(span) {
			continue
		}
		if err := j.result(c, name, r, span); err != nil {
			j.violate(RuleResult, r.At, "%s, of %s: %v", c, name, err)
		}
	}
}

// result judges how a result ended by what was wrong with its cluster from the call's beginning to then.
func (j *judge) result(c *Call, name string, r Result, span schedule.Window) error {
	place, met := j.schedule.Place(name, span)
	if place == schedule.Free && c.Kind != Probe {
		// What the monitor still takes for unreachable is not tried, and who has been throttled is spared for a while.
		if _, before := j.schedule.Place(name, schedule.Window{From: span.From - lingering, To: span.To}); len(before) > 0 {
			place, met = schedule.OnEdge, before
		}
	}
	outOfTime := r.Error.GetCode() == int32(codes.DeadlineExceeded) &&
		(len(c.Summaries) == 0 || c.Summaries[0].GetDeadlineExceeded()) // a call without a summary is judged as a whole
	if j.starved(span) && (outOfTime || reason(r.Error) == "RESPONSE_TIMEOUT" || reason(r.Error) == "CONNECT_TIMEOUT") {
		return nil
	}
	outOfTime = outOfTime && (r.At >= c.Deadline-headroom || mayHang(c.Kind, r, met))
	switch {
	case place == schedule.Free && r.Error != nil:
		return fmt.Errorf("nothing was wrong, and it says %v", r.Error)
	case place == schedule.Free, place == schedule.OnEdge && r.Error == nil, outOfTime:
		return nil
	}
	for _, e := range met {
		for _, f := range findings(c.Kind, r, e) {
			if f == schedule.Fine() && r.Error == nil || f != schedule.Fine() && is(r.Error, f) {
				return nil
			}
		}
	}
	if reason(r.Error) == "CONNECTION_RESET" && place == schedule.OnEdge {
		return nil
	}
	if len(met) == 0 {
		return errors.New("nothing is known of it")
	}
	return fmt.Errorf("it had %s, and it says %v", met[0].Name, r.Error)
}

// mayHang reports whether one of the faults lets those wait who ask the cluster, and so those who wait for their turn.
func mayHang(kind Kind, r Result, met []*schedule.Episode) bool {
	return slices.ContainsFunc(met, func(e *schedule.Episode) bool {
		return slices.ContainsFunc(findings(kind, r, e), func(f schedule.Finding) bool { return f.Code == codes.DeadlineExceeded })
	})
}

// lingering is for how long after the end of a fault reads may end with it: until the monitor has told of the recovery.
const lingering = 15*time.Second + busy

func findings(kind Kind, r Result, e *schedule.Episode) []schedule.Finding {
	if kind == Probe {
		return expected([]*schedule.Episode{e}, r.Observation.GetVerdict().GetDepth())
	}
	return slices.Concat(e.Want.Reads(), known(e))
}

// known is what the monitor may know of the cluster: one that is unreachable is not read but told of.
func known(e *schedule.Episode) []schedule.Finding {
	return slices.DeleteFunc(slices.Clone(e.Want.Changes()), func(f schedule.Finding) bool {
		return f.State != fleetv1.Verdict_STATE_UNREACHABLE
	})
}

func is(s *statuspb.Status, f schedule.Finding) bool {
	return s.GetCode() == int32(f.Code) && "REASON_"+reason(s) == f.Reason.String()
}

// reason returns the reason in a status, empty if there is none.
func reason(s *statuspb.Status) string {
	for _, detail := range s.GetDetails() {
		var info errdetails.ErrorInfo
		if detail.UnmarshalTo(&info) == nil && info.GetDomain() == "clusterfleet" {
			return info.GetReason()
		}
	}
	return ""
}

// String tells which call it is.
func (c *Call) String() string {
	return fmt.Sprintf("the %s that began at %.3fs", map[Kind]string{Probe: "probe", Fetch: "fetch", Get: "get"}[c.Kind], c.Began.Seconds())
}
