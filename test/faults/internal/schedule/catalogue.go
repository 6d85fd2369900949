package schedule

import (
	"time"

	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// The promises of docs/architecture.md: a probe each 9 to 10 s, then three failures over 5 s, or two rejections.
const (
	// soon is how long the loud faults, which fail a probe at once, may take to be told, and how long a recovery may.
	soon = 15 * time.Second
	// late is the same of the silent ones, each probe of which takes up to 5 s.
	late = 25 * time.Second
)

// Moment is how long a fault may last without anybody being told of it: three failures over 5 s are needed, so that half of the
// faults of this length meet a probe and its confirmation, and none may be believed.
const Moment = 4 * time.Second

// Act is one kind of fault with what must be told of it.
type Act struct {
	Name   string
	Fault  simulator.Fault
	Period time.Duration
	// For is how long it lasts; 0 is as long as it takes to be told.
	For time.Duration
	// Cuts says that the fault looks like a failure of the network, as the observer's own would: not too many clusters may
	// have such ones at once.
	Cuts bool
	Want Want
}

// health are the paths of readiness: faults that would send lists without end are shown there only.
func healthPaths() []string { return []string{"/readyz", "/livez", "/healthz"} }

// Acts returns each fault that the suite knows, with what must be told of it.
func Acts() []Act {
	acts := append(links(), handshakes()...)
	acts = append(acts, answers()...)
	acts = append(acts, partial()...)
	return append(acts, hiccups()...)
}

// links are the faults before TLS.
func links() []Act {
	silent := finding(unreachable, fleetv1.Verdict_REASON_RESPONSE_TIMEOUT, controlPlane, codes.DeadlineExceeded)
	noAnswer := finding(unreachable, fleetv1.Verdict_REASON_CONNECT_TIMEOUT, network, codes.Unavailable)
	return []Act{
		cutting(loud(simulator.Fault{Kind: simulator.Refuse},
			finding(unreachable, fleetv1.Verdict_REASON_CONNECTION_REFUSED, network, codes.Unavailable))),
		// A connection that is kept goes silent; the next one cannot be made.
		cutting(quiet(simulator.Fault{Kind: simulator.Blackhole}, Want{
			Found: []Finding{silent, noAnswer}, Told: []Finding{noAnswer},
		})),
		cutting(loud(simulator.Fault{Kind: simulator.Reset},
			finding(unreachable, fleetv1.Verdict_REASON_CONNECTION_RESET, network, codes.Unavailable))),
		cutting(named("hang-at-handshake", quiet(simulator.Fault{Kind: simulator.Hang, At: simulator.AtHandshake}, Want{Found: []Finding{silent}}))),
		cutting(quiet(simulator.Fault{Kind: simulator.Hang}, Want{Found: []Finding{silent}})),
		cutting(quiet(simulator.Fault{Kind: simulator.Drip}, Want{Found: []Finding{silent}})),
		cutting(named("too-slow", quiet(simulator.Fault{Kind: simulator.Slow, Latency: simulator.Constant(20 * time.Second)}, Want{Found: []Finding{silent}}))),
	}
}

// handshakes are the faults of TLS, and those of HTTP/2 behind it: the product asks API servers over HTTP/1.1, to which frames
// of HTTP/2 are no answer.
func handshakes() []Act {
	expired := finding(unreachable, fleetv1.Verdict_REASON_TLS_EXPIRED, controlPlane, codes.FailedPrecondition)
	stranger := finding(unreachable, fleetv1.Verdict_REASON_TLS_UNKNOWN_AUTHORITY, credential, codes.FailedPrecondition)
	otherHost := finding(unreachable, fleetv1.Verdict_REASON_TLS_HOSTNAME_MISMATCH, controlPlane, codes.FailedPrecondition)
	failed := finding(unreachable, fleetv1.Verdict_REASON_TLS_HANDSHAKE_FAILED, controlPlane, codes.FailedPrecondition)
	frames := finding(degraded, fleetv1.Verdict_REASON_MALFORMED_RESPONSE, controlPlane, codes.Internal)
	of := func(kind simulator.Kind, found ...Finding) Act { return loud(simulator.Fault{Kind: kind}, found...) }
	// A read waits for the end of what began as no line of HTTP/1.1, as long as it may take.
	framed := func(kind simulator.Kind) Act {
		act := of(kind, frames)
		act.Want.Read = []Finding{frames, finding(degraded, fleetv1.Verdict_REASON_RESPONSE_TIMEOUT, controlPlane, codes.DeadlineExceeded)}
		return act
	}
	return []Act{
		of(simulator.TLSExpired, expired),
		of(simulator.TLSWrongHost, otherHost),
		of(simulator.TLSUnknownCA, stranger),
		of(simulator.TLSGarbage, failed),
		of(simulator.TLSHugeSAN, otherHost, failed),
		of(simulator.TLSBadConstraint, stranger, failed),
		of(simulator.TLSDSA, stranger, failed),
		framed(simulator.H2ZeroFrameSize),
		framed(simulator.H2GoAwayStorm),
		framed(simulator.H2ContinuationFlood),
	}
}

// answers are the faults of HTTP and what it carries.
func answers() []Act {
	ill := func(reason fleetv1.Verdict_Reason, code codes.Code) Finding {
		return finding(degraded, reason, controlPlane, code)
	}
	serverError := ill(fleetv1.Verdict_REASON_SERVER_ERROR, codes.Unavailable)
	notReady := ill(fleetv1.Verdict_REASON_NOT_READY, codes.Unavailable)
	malformed := ill(fleetv1.Verdict_REASON_MALFORMED_RESPONSE, codes.Internal)
	tooLarge := ill(fleetv1.Verdict_REASON_RESPONSE_TOO_LARGE, codes.ResourceExhausted)
	readable := func(a Act) Act { a.Want.Read = []Finding{Fine()}; return a }
	of := func(kind simulator.Kind, found ...Finding) Act { return loud(simulator.Fault{Kind: kind}, found...) }
	return []Act{
		of(simulator.Unauthorized, finding(unauthorized, fleetv1.Verdict_REASON_UNAUTHENTICATED, credential, codes.FailedPrecondition)),
		of(simulator.Forbidden, finding(unauthorized, fleetv1.Verdict_REASON_FORBIDDEN, credential, codes.PermissionDenied)),
		of(simulator.Throttle, ill(fleetv1.Verdict_REASON_THROTTLED, codes.Unavailable)),
		of(simulator.Error500, serverError),
		of(simulator.Error503, serverError, notReady),
		readable(of(simulator.NotReady, notReady)),
		of(simulator.EndlessHeaders, tooLarge),
		readable(loud(simulator.Fault{Kind: simulator.EndlessBody, Paths: healthPaths()}, tooLarge, malformed)),
		of(simulator.GzipBomb, tooLarge, malformed),
		of(simulator.TruncatedJSON, malformed),
		of(simulator.DeepJSON, malformed, tooLarge),
		of(simulator.HTML, malformed),
		of(simulator.Redirect, ill(fleetv1.Verdict_REASON_REDIRECTED, codes.FailedPrecondition)),
		of(simulator.NotFound, malformed),
	}
}

// partial are the faults that readiness does not show: the monitor tells of them if one of its full probes, minutes apart,
// falls into their time, and need not.
func partial() []Act {
	serverError := finding(degraded, fleetv1.Verdict_REASON_SERVER_ERROR, controlPlane, codes.Unavailable)
	stays := func(fault simulator.Fault, full, read Finding) Act {
		return Act{Name: string(fault.Kind), Fault: fault, For: late, Want: Want{
			Found: []Finding{Fine()}, Full: []Finding{full}, Read: []Finding{read}, Told: []Finding{full}, Recovered: soon,
			Never: full == Fine(),
		}}
	}
	return []Act{
		stays(simulator.Fault{Kind: simulator.Slow, Latency: simulator.Constant(300 * time.Millisecond)}, Fine(), Fine()),
		stays(simulator.Fault{Kind: simulator.ClockSkew}, Fine(), Fine()),
		stays(simulator.Fault{Kind: simulator.HostileText}, serverError, serverError),
		stays(simulator.Fault{Kind: simulator.AuthFails},
			finding(unauthorized, fleetv1.Verdict_REASON_UNAUTHENTICATED, credential, codes.FailedPrecondition), Fine()),
		stays(simulator.Fault{Kind: simulator.PermissionDenied},
			finding(unauthorized, fleetv1.Verdict_REASON_FORBIDDEN, credential, codes.PermissionDenied),
			finding(unauthorized, fleetv1.Verdict_REASON_FORBIDDEN, credential, codes.PermissionDenied)),
	}
}

// hiccups are faults that are too short to change a state, and one that comes and goes.
func hiccups() []Act {
	refused := finding(unreachable, fleetv1.Verdict_REASON_CONNECTION_REFUSED, network, codes.Unavailable)
	serverError := finding(degraded, fleetv1.Verdict_REASON_SERVER_ERROR, controlPlane, codes.Unavailable)
	malformed := finding(degraded, fleetv1.Verdict_REASON_MALFORMED_RESPONSE, controlPlane, codes.Internal)
	expired := finding(unreachable, fleetv1.Verdict_REASON_TLS_EXPIRED, controlPlane, codes.FailedPrecondition)
	reset := finding(unreachable, fleetv1.Verdict_REASON_CONNECTION_RESET, network, codes.Unavailable)
	redirected := finding(degraded, fleetv1.Verdict_REASON_REDIRECTED, controlPlane, codes.FailedPrecondition)
	short := func(kind simulator.Kind, found Finding) Act {
		return Act{
			Name: string(kind) + " for a moment", Fault: simulator.Fault{Kind: kind}, For: Moment, Cuts: found.Blame == network,
			Want: Want{Found: []Finding{found}, Recovered: soon, Never: true},
		}
	}
	return []Act{
		short(simulator.Refuse, refused),
		short(simulator.Reset, reset),
		short(simulator.TLSExpired, expired),
		short(simulator.Error500, serverError),
		short(simulator.HTML, malformed),
		short(simulator.Redirect, redirected),
		{
			Name: "flap", Fault: simulator.Fault{Kind: simulator.Error503}, Period: 6 * time.Second, For: 30 * time.Second,
			Want: Want{
				Found:     []Finding{serverError, finding(degraded, fleetv1.Verdict_REASON_NOT_READY, controlPlane, codes.Unavailable)},
				Recovered: soon,
			},
		},
	}
}

const (
	degraded     = fleetv1.Verdict_STATE_DEGRADED
	unreachable  = fleetv1.Verdict_STATE_UNREACHABLE
	unauthorized = fleetv1.Verdict_STATE_UNAUTHORIZED
	network      = fleetv1.Verdict_BLAME_NETWORK
	credential   = fleetv1.Verdict_BLAME_CREDENTIAL
	controlPlane = fleetv1.Verdict_BLAME_CONTROL_PLANE
)

func finding(state fleetv1.Verdict_State, reason fleetv1.Verdict_Reason, blame fleetv1.Verdict_Blame, code codes.Code) Finding {
	return Finding{State: state, Reason: reason, Blame: blame, Code: code}
}

// loud is a fault that fails each probe at once.
func loud(fault simulator.Fault, found ...Finding) Act {
	return Act{Name: string(fault.Kind), Fault: fault, Want: Want{Found: found, Within: soon, Recovered: soon}}
}

// quiet is a fault that a probe finds by waiting in vain.
func quiet(fault simulator.Fault, want Want) Act {
	want.Within, want.Recovered = late, soon
	return Act{Name: string(fault.Kind), Fault: fault, Want: want}
}

func cutting(a Act) Act {
	a.Cuts = true
	return a
}

func named(name string, a Act) Act {
	a.Name = name
	return a
}
