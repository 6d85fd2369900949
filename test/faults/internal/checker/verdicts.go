package checker

import (
	"slices"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

const (
	// freshness is how old what is shown as healthy may be.
	freshness = 35 * time.Second
	// maxText is how long a text about a failure may be, in bytes.
	maxText = 1 << 10
)

// meaning is what goes with a reason: the state of the cluster, and who may be to blame.
type meaning struct {
	state  fleetv1.Verdict_State
	blames []fleetv1.Verdict_Blame
}

// meanings are those of the API, written down a second time.
func meanings() map[fleetv1.Verdict_Reason]meaning {
	const (
		unreachable  = fleetv1.Verdict_STATE_UNREACHABLE
		unauthorized = fleetv1.Verdict_STATE_UNAUTHORIZED
		degraded     = fleetv1.Verdict_STATE_DEGRADED
		unknown      = fleetv1.Verdict_STATE_UNKNOWN
		network      = fleetv1.Verdict_BLAME_NETWORK
		credential   = fleetv1.Verdict_BLAME_CREDENTIAL
		controlPlane = fleetv1.Verdict_BLAME_CONTROL_PLANE
		observer     = fleetv1.Verdict_BLAME_OBSERVER
	)
	of := func(state fleetv1.Verdict_State, blames ...fleetv1.Verdict_Blame) meaning {
		return meaning{state, blames}
	}
	return map[fleetv1.Verdict_Reason]meaning{
		fleetv1.Verdict_REASON_DNS_FAILURE:              of(unreachable, network),
		fleetv1.Verdict_REASON_CONNECT_TIMEOUT:          of(unreachable, network),
		fleetv1.Verdict_REASON_CONNECTION_REFUSED:       of(unreachable, network),
		fleetv1.Verdict_REASON_CONNECTION_RESET:         of(unreachable, network),
		fleetv1.Verdict_REASON_TLS_EXPIRED:              of(unreachable, controlPlane),
		fleetv1.Verdict_REASON_TLS_UNKNOWN_AUTHORITY:    of(unreachable, credential),
		fleetv1.Verdict_REASON_TLS_HOSTNAME_MISMATCH:    of(unreachable, controlPlane),
		fleetv1.Verdict_REASON_TLS_HANDSHAKE_FAILED:     of(unreachable, controlPlane),
		fleetv1.Verdict_REASON_UNAUTHENTICATED:          of(unauthorized, credential),
		fleetv1.Verdict_REASON_FORBIDDEN:                of(unauthorized, credential),
		fleetv1.Verdict_REASON_THROTTLED:                of(degraded, controlPlane),
		fleetv1.Verdict_REASON_NOT_READY:                of(degraded, controlPlane),
		fleetv1.Verdict_REASON_SERVER_ERROR:             of(degraded, controlPlane),
		fleetv1.Verdict_REASON_MALFORMED_RESPONSE:       of(degraded, controlPlane),
		fleetv1.Verdict_REASON_RESPONSE_TOO_LARGE:       of(degraded, controlPlane),
		fleetv1.Verdict_REASON_REDIRECTED:               of(degraded, controlPlane),
		fleetv1.Verdict_REASON_RESPONSE_TIMEOUT:         of(unreachable, controlPlane),
		fleetv1.Verdict_REASON_QUEUE_TIMEOUT:            of(unknown, observer),
		fleetv1.Verdict_REASON_CREDENTIAL_PLUGIN_FAILED: of(unauthorized, credential),
		fleetv1.Verdict_REASON_OBSERVER_SUSPECT:         of(unknown, observer),
		fleetv1.Verdict_REASON_NOT_ATTEMPTED:            of(unknown, observer),
		fleetv1.Verdict_REASON_INTERNAL:                 of(unknown, observer),
	}
}

// fits reports whether the parts of a verdict belong together. What the aggregator blames itself for says nothing of the
// cluster, whatever the reason.
func fits(v *fleetv1.Verdict) bool {
	if len(v.GetMessage()) > maxText || len(v.GetHint()) > maxText {
		return false
	}
	if v.GetState() == fleetv1.Verdict_STATE_HEALTHY {
		return v.GetReason() == 0 && v.GetBlame() == 0 && v.GetMessage() == ""
	}
	if v.GetBlame() == fleetv1.Verdict_BLAME_OBSERVER {
		return v.GetState() == fleetv1.Verdict_STATE_UNKNOWN && v.GetMessage() != ""
	}
	m, known := meanings()[v.GetReason()]
	return known && (v.GetState() == m.state || late(v, m.state)) && slices.Contains(m.blames, v.GetBlame()) && v.GetMessage() != ""
}

// late reports whether a cluster is degraded rather than unreachable, because the probe was answered before it failed.
func late(v *fleetv1.Verdict, state fleetv1.Verdict_State) bool {
	answered := slices.ContainsFunc(v.GetChecks(), func(c *fleetv1.Check) bool {
		return c.GetKind() == fleetv1.Check_KIND_READY && c.GetOutcome() == fleetv1.Check_OUTCOME_PASSED
	})
	return answered && state == fleetv1.Verdict_STATE_UNREACHABLE && v.GetState() == fleetv1.Verdict_STATE_DEGRADED
}

// among reports whether a verdict is one of the findings, codes aside.
func among(v *fleetv1.Verdict, findings []schedule.Finding) bool {
	return slices.ContainsFunc(findings, func(f schedule.Finding) bool {
		return (f.State == v.GetState() || late(v, f.State)) && f.Reason == v.GetReason() && f.Blame == v.GetBlame()
	})
}

// brief is a verdict in a few words.
func brief(v *fleetv1.Verdict) string {
	if v == nil {
		return "nothing"
	}
	return v.GetState().String() + " " + v.GetReason().String() + " " + v.GetBlame().String() + " " + v.GetMessage()
}
