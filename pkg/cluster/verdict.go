package cluster

import (
	"time"
)

// Depth is how much a probe tests.
type Depth int

// The depths of a probe.
const (
	// Quick is one readiness request on a connection that is kept open.
	Quick Depth = iota
	// Full tests everything on a fresh connection: name, connection, TLS, readiness, version, authentication and
	// authorization.
	Full
)

// Verdict is what one probe concludes. It is immutable.
type Verdict struct {
	State  State
	Reason Reason // empty if healthy
	Blame  Blame  // BlameNone if healthy
	// Message says what happened and Hint what to do; both empty if healthy. They are safe to show.
	Message, Hint string
	// Checks are the steps made, in their order.
	Checks   []Check
	Depth    Depth
	Duration time.Duration
	// ServerVersion and Username are what the cluster last said, cleaned; empty if it never did.
	ServerVersion, Username string
	// FailingChecks names the readiness checks that fail, cleaned, at most 32.
	FailingChecks []string
	Expiries      []Expiry
	// ClockSkew is the cluster's clock minus ours, within a second; valid if ClockKnown.
	ClockSkew  time.Duration
	ClockKnown bool
	// RetryAfter is the wait a throttling server asked for, at most a minute.
	RetryAfter time.Duration
}

// CheckKind is what a check tests.
type CheckKind int

// The checks, in the order in which they are made.
const (
	CheckDNS CheckKind = iota + 1
	CheckTCP
	CheckTLS
	CheckReady
	CheckVersion
	CheckAuthn
	CheckAuthz
)

// Outcome is how a check ended.
type Outcome int

// The outcomes of a check.
const (
	Passed Outcome = iota + 1
	Failed
	Skipped
)

// Check is one timed step of a probe.
type Check struct {
	Kind      CheckKind
	Outcome   Outcome
	Duration  time.Duration
	FirstByte time.Duration // 0 for steps that send no request
	Reason    Reason        // of a failed check
	Message   string        // why it failed or was skipped
}

// ExpiryKind is what expires.
type ExpiryKind int

// The things that expire.
const (
	ServingCertificate ExpiryKind = iota + 1
	ClientCertificateExpiry
	TokenExpiry
)

// Expiry is the end of the life of a certificate or token in use.
type Expiry struct {
	Kind ExpiryKind
	At   time.Time
}

// newVerdict returns a verdict with room for its checks: a quick probe makes one.
func newVerdict(depth Depth) *Verdict {
	v := &struct {
		Verdict
		check [1]Check
	}{Verdict: Verdict{Depth: depth}}
	v.Checks = v.check[:0]
	return &v.Verdict
}

// conclude sets the verdict from the failure that decides it; nil means healthy.
func (v *Verdict) conclude(failure *Error) {
	if failure == nil {
		v.State = Healthy
		return
	}
	v.State = failure.Reason.State()
	if v.State == Unreachable && v.answered() {
		v.State = Degraded // too slow or cut later on, but reached
	}
	v.Reason = failure.Reason
	v.Blame = failure.Blame
	v.Message = failure.Message
	v.Hint = failure.Hint()
	v.RetryAfter = failure.RetryAfter
}

func failed(kind CheckKind, took, firstByte time.Duration, failure *Error) Check {
	return Check{Kind: kind, Outcome: Failed, Duration: took, FirstByte: firstByte, Reason: failure.Reason, Message: failure.Message}
}

func skipped(kind CheckKind, why string) Check {
	return Check{Kind: kind, Outcome: Skipped, Message: why}
}

// answered reports whether the cluster said that it is ready, whatever came after that.
func (v *Verdict) answered() bool {
	for _, c := range v.Checks {
		if c.Kind == CheckReady && c.Outcome == Passed {
			return true
		}
	}
	return false
}
