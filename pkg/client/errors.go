package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Domain is the domain of the ErrorInfo details whose reasons fleet.v1 documents.
const Domain = "clusterfleet"

// hintKey is where the metadata of an ErrorInfo says what to do about the error.
const hintKey = "hint"

// ErrForeignProtocol is the cause of a [ConnectError] where the server answers in something else than HTTP/2.
var ErrForeignProtocol = errors.New("it answers in something else than gRPC")

// ConnectError means that the aggregator cannot be reached: no call left the machine. It is a status of code UNAVAILABLE.
type ConnectError struct {
	// Address is the aggregator's, as HOST:PORT.
	Address string
	// Cause is why: an error of net, of crypto/tls or of crypto/x509.
	Cause error
	// Plaintext tells that no TLS was spoken.
	Plaintext bool
}

// Error says what cannot be reached and why.
func (e *ConnectError) Error() string { return fmt.Sprintf("cannot reach %s: %v", e.Address, e.Cause) }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Cause }

// CertificateRefused tells that the aggregator wants a certificate of the caller, or another one than it got: the alerts
// about certificates that a TLS server sends are about its client's.
func (e *ConnectError) CertificateRefused() bool {
	remote, ok := errors.AsType[*net.OpError](e.Cause)
	if !ok || remote.Op != "remote error" {
		return false
	}
	// The alert that crypto/tls received has no exported type; the exported one has the same words for each number.
	return slices.ContainsFunc(certificateAlerts(), func(a tls.AlertError) bool { return remote.Err.Error() == a.Error() })
}

// certificateAlerts are those of RFC 8446, section 6.2, that are about a certificate or about who presented it.
func certificateAlerts() []tls.AlertError {
	const (
		badCertificate, unsupportedCertificate, certificateRevoked, certificateExpired, certificateUnknown = 42, 43, 44, 45, 46
		unknownCA, accessDenied, certificateRequired                                                       = 48, 49, 116
	)
	return []tls.AlertError{
		badCertificate, unsupportedCertificate, certificateRevoked, certificateExpired, certificateUnknown,
		unknownCA, accessDenied, certificateRequired,
	}
}

// GRPCStatus makes it a status of code UNAVAILABLE.
func (e *ConnectError) GRPCStatus() *status.Status { return status.New(codes.Unavailable, e.Error()) }

// explain turns the text in which grpc-go reports a failed connection into a ConnectError.
func (c *Client) explain(err error) error {
	var known *ConnectError
	if status.Code(err) != codes.Unavailable || errors.As(err, &known) || len(status.Convert(err).Details()) > 0 {
		return err
	}
	if cause := c.link.lastFailure(); cause != nil {
		return &ConnectError{Address: c.Address(), Cause: cause, Plaintext: c.link.plaintext}
	}
	return err
}

// StatusError turns the status of one cluster or reference, as results carry it, into an error that this package's
// functions read; nil for nil and for OK.
func StatusError(s *spb.Status) error { return status.ErrorProto(s) }

// Message returns what an error says without the decoration that grpc-go and wrapping add; empty for nil. It may carry
// text that a cluster sent.
func Message(err error) string {
	var s interface{ GRPCStatus() *status.Status }
	switch {
	case err == nil:
		return ""
	case errors.As(err, &s):
		return s.GRPCStatus().Message()
	}
	return err.Error()
}

// Reason returns the reason of an error in the words of fleet.v1, such as "CONNECTION_REFUSED"; empty where it has none.
func Reason(err error) string { return info(err).GetReason() }

// Hint returns what to do about an error; empty where the aggregator does not say.
func Hint(err error) string { return info(err).GetMetadata()[hintKey] }

func info(err error) *errdetails.ErrorInfo {
	for i := range details[*errdetails.ErrorInfo](err) {
		if i.GetDomain() == Domain {
			return i
		}
	}
	return nil
}

// RetryAfter returns how long the aggregator asks to wait before the call is made again; false where it does not say.
func RetryAfter(err error) (time.Duration, bool) {
	for i := range details[*errdetails.RetryInfo](err) {
		return max(0, i.GetRetryDelay().AsDuration()), true
	}
	return 0, false
}

// Violation is one part of a request that the aggregator does not accept.
type Violation struct {
	// Field is the path of the request's field, such as "selector.label_selector".
	Field string
	// Description says what is wrong with it.
	Description string
}

// Violations returns what is wrong with the request, for errors of code INVALID_ARGUMENT; none where it is not said.
func Violations(err error) []Violation {
	var all []Violation
	for b := range details[*errdetails.BadRequest](err) {
		for _, v := range b.GetFieldViolations() {
			all = append(all, Violation{Field: v.GetField(), Description: v.GetDescription()})
		}
	}
	return all
}

// details yields the details of type D.
func details[D any](err error) func(yield func(D) bool) {
	return func(yield func(D) bool) {
		for _, detail := range status.Convert(err).Details() {
			if d, ok := detail.(D); ok && !yield(d) {
				return
			}
		}
	}
}
