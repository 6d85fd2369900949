package test_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// faulty is one way in which a cluster is broken, and how that is told. An empty reason is none.
type faulty struct {
	fault, parameters string // of a scenario
	state             fleetv1.Verdict_State
	probe             told
	fetch             []told // one of them
}

// told is how the failure of a cluster is told.
type told struct {
	reason string
	code   codes.Code
}

const (
	healthy      = fleetv1.Verdict_STATE_HEALTHY
	degraded     = fleetv1.Verdict_STATE_DEGRADED
	unreachable  = fleetv1.Verdict_STATE_UNREACHABLE
	unauthorized = fleetv1.Verdict_STATE_UNAUTHORIZED
)

// onLists are the parameters of a fault that only lists meet.
const onLists = ", paths: [/api/v1/configmaps]"

func faults() []faulty {
	good := told{}
	alike := func(fault string, state fleetv1.Verdict_State, reason string, code codes.Code) faulty {
		return faulty{fault: fault, state: state, probe: told{reason, code}, fetch: []told{{reason, code}}}
	}
	late := told{"RESPONSE_TIMEOUT", codes.DeadlineExceeded}
	return []faulty{
		alike("refuse", unreachable, "CONNECTION_REFUSED", codes.Unavailable),
		alike("blackhole", unreachable, "CONNECT_TIMEOUT", codes.Unavailable),
		alike("hang", unreachable, "RESPONSE_TIMEOUT", codes.DeadlineExceeded),
		alike("drip", unreachable, "RESPONSE_TIMEOUT", codes.DeadlineExceeded),
		alike("tls-expired", unreachable, "TLS_EXPIRED", codes.FailedPrecondition),
		alike("tls-wrong-host", unreachable, "TLS_HOSTNAME_MISMATCH", codes.FailedPrecondition),
		alike("tls-unknown-ca", unreachable, "TLS_UNKNOWN_AUTHORITY", codes.FailedPrecondition),
		alike("tls-garbage", unreachable, "TLS_HANDSHAKE_FAILED", codes.FailedPrecondition),
		alike("unauthorized", unauthorized, "UNAUTHENTICATED", codes.FailedPrecondition),
		{"auth-fails", "", unauthorized, told{"UNAUTHENTICATED", codes.FailedPrecondition}, []told{good}},
		alike("forbidden", unauthorized, "FORBIDDEN", codes.PermissionDenied),
		alike("permission-denied", unauthorized, "FORBIDDEN", codes.PermissionDenied),
		alike("throttle", degraded, "THROTTLED", codes.Unavailable),
		alike("error-500", degraded, "SERVER_ERROR", codes.Unavailable),
		alike("error-503", degraded, "SERVER_ERROR", codes.Unavailable),
		{"not-ready", "", degraded, told{"NOT_READY", codes.Unavailable}, []told{good}},
		alike("redirect", degraded, "REDIRECTED", codes.FailedPrecondition),
		alike("reset", unreachable, "CONNECTION_RESET", codes.Unavailable),
		alike("html", degraded, "MALFORMED_RESPONSE", codes.Internal),
		alike("endless-headers", degraded, "RESPONSE_TOO_LARGE", codes.ResourceExhausted),
		{"endless-body", onLists, healthy, good, []told{{"RESPONSE_TOO_LARGE", codes.ResourceExhausted}, late}},
		{"expired-continue", onLists, healthy, good, []told{{"SERVER_ERROR", codes.Unavailable}}},
		alike("gzip-bomb", degraded, "RESPONSE_TOO_LARGE", codes.ResourceExhausted),
		alike("truncated-json", degraded, "MALFORMED_RESPONSE", codes.Internal),
		alike("hostile-text", degraded, "SERVER_ERROR", codes.Unavailable),
	}
}

func TestEachFaultIsToldByItsReasonAndTheOthersAreWhole(t *testing.T) {
	const patienceAsked, patienceGranted = 3600, time.Minute // of throttle
	faults := faults()
	scenario := strings.Builder{}
	scenario.WriteString("faults:\n")
	for i, f := range faults {
		if f.fault == "throttle" {
			f.parameters = fmt.Sprint(", retryAfter: ", patienceAsked)
		}
		fmt.Fprintf(&scenario, "- {clusters: sim-%04d, fault: %s%s}\n", i+1, f.fault, f.parameters)
	}
	// As many objects as make two pages.
	simulation := programs.Simulation(t, scenario.String(), "--clusters", fmt.Sprint(len(faults)+1), "--configmaps", "600")
	a := programs.Aggregator(t, simulation.Kubeconfig, product.Unwatched)

	t.Run("by a probe", func(t *testing.T) {
		results, _ := probe(t, a, 3)
		for i, f := range faults {
			r := results[fmt.Sprintf("sim-%04d", i+1)]
			if got := toldBy(r.GetError()); got != f.probe || r.GetObservation().GetVerdict().GetState() != f.state {
				t.Errorf("%s: got %v, want %v, %s: %v", f.fault, got, f.probe, f.state, r.GetObservation().GetVerdict())
			}
			if wait := retryDelay(t, r.GetError()); f.fault == "throttle" && wait != patienceGranted {
				t.Errorf("%s: told to wait for %s, want %s", f.fault, wait, patienceGranted)
			}
		}
		verdict(t, results[fmt.Sprintf("sim-%04d", len(faults)+1)], fleetv1.Verdict_STATE_HEALTHY, 0)
	})
	t.Run("by a fetch", func(t *testing.T) {
		reads, _ := fetch(t, a, &fleetv1.FetchManifestsRequest{
			ResourceType:      &fleetv1.ResourceType{Resource: "configmaps", Version: "v1"},
			PerClusterTimeout: durationpb.New(4 * time.Second), // more than a connection may take
		})
		for i, f := range faults {
			r := reads[fmt.Sprintf("sim-%04d", i+1)]
			if got := toldBy(r.completion.GetError()); !slices.Contains(f.fetch, got) {
				t.Errorf("%s: got %v, want one of %v: %v", f.fault, got, f.fetch, r.completion)
			}
			if wait := retryDelay(t, r.completion.GetError()); f.fault == "throttle" && wait != patienceGranted {
				t.Errorf("%s: told to wait for %s, want %s", f.fault, wait, patienceGranted)
			}
		}
		if good := reads[fmt.Sprintf("sim-%04d", len(faults)+1)]; len(good.objects) != 600 || good.reason() != "" {
			t.Errorf("the healthy cluster is not whole: %v", good.completion)
		}
	})
	t.Run("in text that is safe for a terminal", func(t *testing.T) {
		for _, args := range [][]string{{"probe", "-o", "wide"}, {"clusters", "-o", "wide"}} {
			r := a.Fleetctl(t, args...)
			for _, c := range r.Stdout + r.Stderr {
				if unicode.IsControl(c) && c != '\n' || unicode.Is(unicode.Bidi_Control, c) {
					t.Errorf("%q prints %U", args, c)
				}
			}
		}
	})
}

func toldBy(s *statuspb.Status) told {
	return told{client.Reason(client.StatusError(s)), codes.Code(s.GetCode())}
}

// retryDelay returns after what time a status says that one may try again; 0 if it does not say.
func retryDelay(t *testing.T, s *statuspb.Status) time.Duration {
	t.Helper()
	for _, detail := range s.GetDetails() {
		var retry errdetails.RetryInfo
		if !detail.MessageIs(&retry) {
			continue
		}
		if err := detail.UnmarshalTo(&retry); err != nil {
			t.Fatal(err)
		}
		return retry.GetRetryDelay().AsDuration()
	}
	return 0
}
