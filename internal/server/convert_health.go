package server

import (
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

func clusterHealth(r *health.Record) *fleetv1.ClusterHealth {
	m := &fleetv1.ClusterHealth{
		Cluster:         r.Subject.Name,
		Labels:          r.Subject.Labels,
		State:           state(r.State),
		KnownState:      state(r.Known),
		Since:           timestamp(r.Since),
		Flapping:        r.Flapping,
		Maintenance:     r.Subject.Maintenance,
		Virtual:         r.Subject.Virtual,
		ObserverSuspect: r.Suspect,
		Restored:        r.Restored,
		Latency:         latency(r.Latency),
		Availability: &fleetv1.Availability{
			Hour:  share(r.Availability.Hour),
			Day:   share(r.Availability.Day),
			Month: share(r.Availability.Month),
		},
		Expiries: expiries(r.Expiries),
		Incident: r.Incident,
	}
	if r.Verdict != nil {
		m.Observation = observation(&fleet.Observation{Verdict: r.Verdict, At: r.At, Source: fleet.Monitor, LastSuccess: r.LastSuccess})
	}
	return m
}

func latency(q health.Quantiles) *fleetv1.Latency {
	if q.N == 0 {
		return nil
	}
	return &fleetv1.Latency{
		P50:    durationpb.New(q.P50),
		P90:    durationpb.New(q.P90),
		P99:    durationpb.New(q.P99),
		Probes: int32(q.N), //nolint:gosec // at most 100
	}
}

// share leaves out what is not known.
func share(s float64) *float64 {
	if s < 0 {
		return nil
	}
	return &s
}

func transition(t health.Transition) *fleetv1.Transition {
	return &fleetv1.Transition{
		Sequence:   t.Sequence,
		Cluster:    t.Cluster,
		OccurredAt: timestamppb.New(t.At),
		From:       state(t.From),
		To:         state(t.To),
		Reason:     reason(t.Reason),
		Blame:      blame(t.Blame),
		Message:    t.Message,
		Lasted:     duration(t.Lasted),
		Flapping:   t.Flapping,
	}
}
