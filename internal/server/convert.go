package server

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// The domain's words and the API's, one below the other: a new one is added here.

func state(s cluster.State) fleetv1.Verdict_State {
	switch s {
	case cluster.Healthy:
		return fleetv1.Verdict_STATE_HEALTHY
	case cluster.Degraded:
		return fleetv1.Verdict_STATE_DEGRADED
	case cluster.Unreachable:
		return fleetv1.Verdict_STATE_UNREACHABLE
	case cluster.Unauthorized:
		return fleetv1.Verdict_STATE_UNAUTHORIZED
	case cluster.Unknown:
	}
	return fleetv1.Verdict_STATE_UNKNOWN
}

func states(s []fleetv1.Verdict_State) []cluster.State {
	var result []cluster.State
	for _, one := range s {
		for _, known := range []cluster.State{cluster.Unknown, cluster.Healthy, cluster.Degraded, cluster.Unreachable, cluster.Unauthorized} {
			if state(known) == one {
				result = append(result, known)
			}
		}
	}
	return result
}

func blame(b cluster.Blame) fleetv1.Verdict_Blame {
	switch b {
	case cluster.BlameNetwork:
		return fleetv1.Verdict_BLAME_NETWORK
	case cluster.BlameCredential:
		return fleetv1.Verdict_BLAME_CREDENTIAL
	case cluster.BlameControlPlane:
		return fleetv1.Verdict_BLAME_CONTROL_PLANE
	case cluster.BlameObserver:
		return fleetv1.Verdict_BLAME_OBSERVER
	case cluster.BlameNone:
	}
	return fleetv1.Verdict_BLAME_UNSPECIFIED
}

// reason relies on the API's names being the domain's with a prefix; a test holds them together.
func reason(r cluster.Reason) fleetv1.Verdict_Reason {
	if r == "" {
		return fleetv1.Verdict_REASON_UNSPECIFIED
	}
	return fleetv1.Verdict_Reason(fleetv1.Verdict_Reason_value["REASON_"+string(r)])
}

func depth(d cluster.Depth) fleetv1.Verdict_Depth {
	if d == cluster.Quick {
		return fleetv1.Verdict_DEPTH_QUICK
	}
	return fleetv1.Verdict_DEPTH_FULL
}

func wantedDepth(d fleetv1.Verdict_Depth) cluster.Depth {
	if d == fleetv1.Verdict_DEPTH_QUICK {
		return cluster.Quick
	}
	return cluster.Full
}

func credential(c cluster.Credential) fleetv1.Cluster_Credential {
	switch c {
	case cluster.Token:
		return fleetv1.Cluster_CREDENTIAL_TOKEN
	case cluster.ClientCertificate:
		return fleetv1.Cluster_CREDENTIAL_CLIENT_CERTIFICATE
	case cluster.Plugin:
		return fleetv1.Cluster_CREDENTIAL_PLUGIN
	case cluster.Basic:
		return fleetv1.Cluster_CREDENTIAL_BASIC
	case cluster.Anonymous:
	}
	return fleetv1.Cluster_CREDENTIAL_UNSPECIFIED
}

func selector(s *fleetv1.ClusterSelector) fleet.Selector {
	return fleet.Selector{Names: s.GetNames(), Labels: s.GetLabelSelector(), States: states(s.GetStates())}
}

func clusterMessage(c fleet.Cluster) *fleetv1.Cluster {
	d := c.Definition
	return &fleetv1.Cluster{
		Name:        d.Name,
		Labels:      d.Labels,
		Server:      d.Server(),
		Namespace:   d.Namespace,
		Source:      d.Source,
		Credential:  credential(d.Credential()),
		Virtual:     d.Virtual,
		Observation: observation(c.Latest),
	}
}

func observation(o *fleet.Observation) *fleetv1.Observation {
	if o == nil {
		return nil
	}
	source := fleetv1.Observation_SOURCE_LIVE
	if o.Source == fleet.Monitor {
		source = fleetv1.Observation_SOURCE_MONITOR
	}
	return &fleetv1.Observation{
		Verdict:     verdict(o.Verdict),
		ObservedAt:  timestamppb.New(o.At),
		Age:         durationpb.New(time.Since(o.At)),
		Source:      source,
		LastSuccess: timestamp(o.LastSuccess),
	}
}

func verdict(v *cluster.Verdict) *fleetv1.Verdict {
	m := &fleetv1.Verdict{
		State:               state(v.State),
		Reason:              reason(v.Reason),
		Blame:               blame(v.Blame),
		Message:             v.Message,
		Hint:                v.Hint,
		Checks:              make([]*fleetv1.Check, len(v.Checks)),
		Depth:               depth(v.Depth),
		Duration:            durationpb.New(v.Duration),
		ServerVersion:       v.ServerVersion,
		Username:            v.Username,
		FailingReadyzChecks: v.FailingChecks,
		Expiries:            expiries(v.Expiries),
	}
	for i, c := range v.Checks {
		m.Checks[i] = check(c)
	}
	if v.ClockKnown {
		m.ClockSkew = durationpb.New(v.ClockSkew)
	}
	return m
}

func expiries(all []cluster.Expiry) []*fleetv1.Expiry {
	var result []*fleetv1.Expiry
	for _, e := range all {
		result = append(result, &fleetv1.Expiry{
			Kind:      fleetv1.Expiry_Kind(e.Kind), //nolint:gosec // the same small numbers; a test holds them together
			ExpiresAt: timestamppb.New(e.At),
		})
	}
	return result
}

func check(c cluster.Check) *fleetv1.Check {
	return &fleetv1.Check{
		Kind:      fleetv1.Check_Kind(c.Kind),       //nolint:gosec // the same small numbers; a test holds them together
		Outcome:   fleetv1.Check_Outcome(c.Outcome), //nolint:gosec // likewise
		Duration:  duration(c.Duration),
		FirstByte: duration(c.FirstByte),
		Message:   c.Message,
		Reason:    reason(c.Reason),
	}
}

func summary(s fleet.Summary) *fleetv1.Summary {
	return &fleetv1.Summary{
		Expected:         int32(s.Expected),     //nolint:gosec // a fleet has fewer than 2³¹ clusters, a request references
		Succeeded:        int32(s.Succeeded),    //nolint:gosec // likewise
		Failed:           int32(s.Failed),       //nolint:gosec // likewise
		Skipped:          int32(s.Skipped),      //nolint:gosec // likewise
		Truncated:        int32(s.Truncated),    //nolint:gosec // likewise
		NotAttempted:     int32(s.NotAttempted), //nolint:gosec // likewise
		Duration:         durationpb.New(s.Duration),
		Items:            s.Items,
		Bytes:            s.Bytes,
		DeadlineExceeded: s.DeadlineExceeded,
		Queued:           duration(s.Queued),
		ClusterTime:      duration(s.Busy),
		Throttled:        int32(s.Throttled), //nolint:gosec // likewise
	}
}

func started(expected int) *fleetv1.Started {
	return &fleetv1.Started{Expected: int32(expected)} //nolint:gosec // likewise
}

// duration leaves out what did not happen.
func duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
