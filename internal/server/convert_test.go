package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/hibernation"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// codesOf is what the project promises for every reason: the hazards' first table.
func codesOf() map[cluster.Reason]codes.Code {
	return map[cluster.Reason]codes.Code{
		cluster.DNSFailure:             codes.Unavailable,
		cluster.ConnectTimeout:         codes.Unavailable,
		cluster.ConnectionRefused:      codes.Unavailable,
		cluster.ConnectionReset:        codes.Unavailable,
		cluster.TLSExpired:             codes.FailedPrecondition,
		cluster.TLSUnknownAuthority:    codes.FailedPrecondition,
		cluster.TLSHostnameMismatch:    codes.FailedPrecondition,
		cluster.TLSHandshakeFailed:     codes.FailedPrecondition,
		cluster.Unauthenticated:        codes.FailedPrecondition,
		cluster.Forbidden:              codes.PermissionDenied,
		cluster.Throttled:              codes.Unavailable,
		cluster.NotReady:               codes.Unavailable,
		cluster.ServerError:            codes.Unavailable,
		cluster.MalformedResponse:      codes.Internal,
		cluster.ResponseTooLarge:       codes.ResourceExhausted,
		cluster.Redirected:             codes.FailedPrecondition,
		cluster.ResponseTimeout:        codes.DeadlineExceeded,
		cluster.QueueTimeout:           codes.DeadlineExceeded,
		cluster.CredentialPluginFailed: codes.FailedPrecondition,
		cluster.ObserverSuspect:        codes.Unavailable,
		cluster.NotAttempted:           codes.DeadlineExceeded,
		cluster.NotFound:               codes.NotFound,
		cluster.InvalidRequest:         codes.InvalidArgument,
		cluster.Internal:               codes.Internal,
	}
}

func TestEveryReasonHasItsCodeAndItsNameInTheAPI(t *testing.T) {
	want := codesOf()
	declared := declaredReasons(t)
	if len(declared) != len(want) || len(declared) != len(fleetv1.Verdict_Reason_name)-1 {
		t.Errorf("%d reasons are declared, %d have a code, the API has %d", len(declared), len(want), len(fleetv1.Verdict_Reason_name)-1)
	}
	for _, r := range declared {
		if reason(r).String() != "REASON_"+string(r) {
			t.Errorf("%s is %v in the API", r, reason(r))
		}
		e := cluster.NewError(r, cluster.PhaseBody, "what happened", nil)
		e.RetryAfter = time.Second
		s := status.FromProto(clusterStatus(e))
		code, known := want[r]
		if !known || s.Code() != code || s.Message() != "what happened" {
			t.Errorf("%s: %v, want %v", r, s, code)
		}
		info, _ := s.Details()[0].(*errdetails.ErrorInfo)
		retry, _ := s.Details()[1].(*errdetails.RetryInfo)
		if info.GetReason() != string(r) || info.GetDomain() != "clusterfleet" || retry.GetRetryDelay().AsDuration() != time.Second {
			t.Errorf("%s: details %v", r, s.Details())
		}
		if info.GetMetadata()["hint"] != e.Hint() {
			t.Errorf("%s: hint %q", r, info.GetMetadata()["hint"])
		}
	}
	if reason("") != fleetv1.Verdict_REASON_UNSPECIFIED {
		t.Error("no reason has become one")
	}
}

// declaredReasons reads them from the source: no list can be forgotten to be kept.
func declaredReasons(t *testing.T) []cluster.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../pkg/cluster/reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []cluster.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Reason" {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Error(err)
		}
		reasons = append(reasons, cluster.Reason(text))
		return true
	})
	return reasons
}

func TestEveryWordOfTheDomainHasItsOwnInTheAPI(t *testing.T) {
	for _, test := range []struct {
		about string
		got   []protoreflect.Enum
		// unsaid is how many words of the API stand for nothing in the domain.
		unsaid int
	}{
		{"states", enums(state, cluster.Unknown, cluster.Healthy, cluster.Degraded, cluster.Unreachable, cluster.Unauthorized), 1},
		{"blames", enums(blame, cluster.BlameNone, cluster.BlameNetwork, cluster.BlameCredential, cluster.BlameControlPlane, cluster.BlameObserver), 0},
		{"depths", enums(depth, cluster.Quick, cluster.Full), 1},
		{"credentials", enums(credential, cluster.Anonymous, cluster.Token, cluster.ClientCertificate, cluster.Plugin, cluster.Basic), 0},
		{"checks", enums(func(k cluster.CheckKind) fleetv1.Check_Kind { return check(cluster.Check{Kind: k}).GetKind() },
			cluster.CheckDNS, cluster.CheckTCP, cluster.CheckTLS, cluster.CheckReady, cluster.CheckVersion, cluster.CheckAuthn, cluster.CheckAuthz), 1},
		{"outcomes", enums(func(o cluster.Outcome) fleetv1.Check_Outcome { return check(cluster.Check{Outcome: o}).GetOutcome() },
			cluster.Passed, cluster.Failed, cluster.Skipped), 1},
		{"hibernation", enums(hibernationState, hibernation.Running, hibernation.Hibernated, hibernation.PartiallyHibernated, hibernation.Unknown), 1},
		{"expiries", enums(expiryKind, cluster.ServingCertificate, cluster.ClientCertificateExpiry, cluster.TokenExpiry), 1},
	} {
		values := test.got[0].Descriptor().Values()
		seen := make(map[protoreflect.EnumNumber]bool)
		for i, e := range test.got {
			if values.ByNumber(e.Number()) == nil || seen[e.Number()] {
				t.Errorf("%s: word %d is %d in the API", test.about, i, e.Number())
			}
			seen[e.Number()] = true
		}
		if len(seen)+test.unsaid != values.Len() {
			t.Errorf("%s: the domain has %d words, the API %d", test.about, len(seen), values.Len())
		}
	}
}

func enums[D any, E protoreflect.Enum](convert func(D) E, words ...D) []protoreflect.Enum {
	var converted []protoreflect.Enum
	for _, w := range words {
		converted = append(converted, convert(w))
	}
	return converted
}

func expiryKind(k cluster.ExpiryKind) fleetv1.Expiry_Kind {
	v := verdict(&cluster.Verdict{Expiries: []cluster.Expiry{{Kind: k, At: time.Now()}}})
	return v.GetExpiries()[0].GetKind()
}

// The numbers of these kinds are taken over as they are, so their names are held together one by one.
func TestKindsThatShareTheirNumbersMeanTheSame(t *testing.T) {
	for got, want := range map[string]string{
		fleetv1.Check_Kind(cluster.CheckDNS).String():                 "KIND_DNS",
		fleetv1.Check_Kind(cluster.CheckTCP).String():                 "KIND_TCP",
		fleetv1.Check_Kind(cluster.CheckTLS).String():                 "KIND_TLS",
		fleetv1.Check_Kind(cluster.CheckReady).String():               "KIND_READY",
		fleetv1.Check_Kind(cluster.CheckVersion).String():             "KIND_VERSION",
		fleetv1.Check_Kind(cluster.CheckAuthn).String():               "KIND_AUTHN",
		fleetv1.Check_Kind(cluster.CheckAuthz).String():               "KIND_AUTHZ",
		fleetv1.Check_Outcome(cluster.Passed).String():                "OUTCOME_PASSED",
		fleetv1.Check_Outcome(cluster.Failed).String():                "OUTCOME_FAILED",
		fleetv1.Check_Outcome(cluster.Skipped).String():               "OUTCOME_SKIPPED",
		fleetv1.Expiry_Kind(cluster.ServingCertificate).String():      "KIND_SERVING_CERTIFICATE",
		fleetv1.Expiry_Kind(cluster.ClientCertificateExpiry).String(): "KIND_CLIENT_CERTIFICATE",
		fleetv1.Expiry_Kind(cluster.TokenExpiry).String():             "KIND_TOKEN",
	} {
		if got != want {
			t.Errorf("%s means %s", got, want)
		}
	}
}

func TestStatesOfASelectorAreThoseOfTheDomain(t *testing.T) {
	for _, s := range []cluster.State{cluster.Unknown, cluster.Healthy, cluster.Degraded, cluster.Unreachable, cluster.Unauthorized} {
		if got := states([]fleetv1.Verdict_State{state(s)}); len(got) != 1 || got[0] != s {
			t.Errorf("%v came back as %v", s, got)
		}
	}
}

func TestAnErrorsTextIsTheMessageAndNotTheCause(t *testing.T) {
	e := cluster.NewError(cluster.Internal, cluster.PhaseBody, "what may be told", errTold{})
	if text := clusterStatus(e).String(); strings.Contains(text, "secret") {
		t.Error(text)
	}
}

type errTold struct{}

func (errTold) Error() string { return "a secret" }
