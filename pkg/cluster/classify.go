package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// errTooLarge is the cause of every failure at a bound of what is read.
var errTooLarge = errors.New("larger than the bound")

// errRedirect is the cause of a refused redirect.
var errRedirect = errors.New("redirects are not followed")

// pluginError marks the failure of a credential plugin.
type pluginError struct{ cause error }

func (e *pluginError) Error() string { return "credential plugin: " + e.cause.Error() }
func (e *pluginError) Unwrap() error { return e.cause }

// Classify turns the error of a call that ended in the given phase into an *Error. It looks at types only, never at
// texts. An error that already is an *Error is returned as it is.
func Classify(err error, phase Phase) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	reason, message := explain(err, phase)
	e := NewError(reason, phase, message, err)
	if isOurs(err) {
		e.Blame = BlameObserver
	}
	return e
}

// Unfinished returns the error of a call that its caller ended, by a deadline or by leaving, and that says nothing about
// the cluster.
func Unfinished(phase Phase, cause error) *Error {
	reason := ResponseTimeout
	if phase == PhaseQueue {
		reason = QueueTimeout
	}
	e := NewError(reason, phase, "the call's time ran out while it was "+phase.String(), cause)
	e.Blame = BlameObserver
	return e
}

func explain(err error, phase Phase) (Reason, string) {
	if isOurs(err) {
		return Internal, "the aggregator has no more file descriptors, ports or memory for a connection"
	}
	if reason, message, ok := explainTLS(err); ok {
		return reason, message
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return DNSFailure, explainDNS(dns)
	}
	switch {
	case errors.Is(err, errTooLarge):
		return ResponseTooLarge, "the answer is larger than the aggregator reads: " + err.Error()
	case errors.Is(err, errRedirect):
		return Redirected, err.Error()
	case isTimeout(err):
		return explainTimeout(phase)
	case isPluginFailure(err):
		return CredentialPluginFailed, err.Error()
	case phase == PhaseCredential:
		return CredentialPluginFailed, "the credential cannot be read: " + err.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnectionRefused, "the connection was refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH),
		errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.EADDRNOTAVAIL):
		return ConnectionRefused, "no route leads to the server"
	case isReset(err):
		return explainReset(phase)
	}
	switch phase {
	case PhaseConnect, PhaseDNS:
		return ConnectionRefused, "cannot connect: " + err.Error()
	case PhaseTLS:
		return TLSHandshakeFailed, "the TLS handshake failed: " + err.Error()
	case PhaseWait, PhaseBody:
		return MalformedResponse, "the answer is not valid HTTP: " + err.Error()
	case PhaseQueue, PhaseCredential, PhaseSend:
	}
	return Internal, err.Error()
}

func isPluginFailure(err error) bool {
	_, ok := errors.AsType[*pluginError](err)
	return ok
}

// isOurs reports whether the aggregator's own limits made the call fail.
func isOurs(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return true
	}
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

func explainDNS(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return fmt.Sprintf("the name %q does not exist", err.Name)
	case err.IsTimeout:
		return fmt.Sprintf("the name %q was not resolved in time", err.Name)
	}
	return fmt.Sprintf("the name %q cannot be resolved", err.Name)
}

func explainTimeout(phase Phase) (Reason, string) {
	switch phase {
	case PhaseQueue:
		return QueueTimeout, "the time ran out while the call waited for its turn in the aggregator"
	case PhaseCredential:
		return CredentialPluginFailed, "the credential plugin did not answer in time"
	case PhaseDNS:
		return DNSFailure, "the server's name was not resolved in time"
	case PhaseConnect:
		return ConnectTimeout, "nothing answered the connection attempt in time"
	case PhaseTLS:
		return ResponseTimeout, "the connection was accepted, but the TLS handshake was not answered in time"
	case PhaseSend:
		return ResponseTimeout, "the server did not take the request in time"
	case PhaseBody:
		return ResponseTimeout, "the answer began, but did not end in time"
	case PhaseWait:
	}
	return ResponseTimeout, "the server took the request but did not answer in time"
}

func explainReset(phase Phase) (Reason, string) {
	switch phase {
	case PhaseTLS:
		return ConnectionReset, "the connection was cut during the TLS handshake"
	case PhaseBody:
		return ConnectionReset, "the connection was cut in the middle of the answer"
	case PhaseQueue, PhaseCredential, PhaseDNS, PhaseConnect, PhaseSend, PhaseWait:
	}
	return ConnectionReset, "the connection was cut before the answer"
}

func explainTLS(err error) (Reason, string, bool) {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return explainInvalid(invalid)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return TLSUnknownAuthority, "the serving certificate is not signed by the cluster's certificate authority" + issuedBy(unknown.Cert), true
	}
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return TLSHostnameMismatch, fmt.Sprintf("the serving certificate is not made out to %q", host.Host), true
	}
	if fatal, ok := errors.AsType[tls.AlertError](err); ok {
		return TLSHandshakeFailed, "the server ended the TLS handshake: " + fatal.Error(), true
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return TLSHandshakeFailed, "what answers does not speak TLS: " + record.Msg, true
	}
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return TLSHandshakeFailed, "the serving certificate cannot be verified: " + verify.Err.Error(), true
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return CredentialPluginFailed, "a file of the credential cannot be read: " + err.Error(), true
	}
	return "", "", false
}

func explainInvalid(err x509.CertificateInvalidError) (Reason, string, bool) {
	if err.Reason != x509.Expired || err.Cert == nil {
		return TLSHandshakeFailed, "the serving certificate is not valid: " + err.Error(), true
	}
	now := time.Now()
	if now.Before(err.Cert.NotBefore) {
		return TLSExpired, "the serving certificate is valid only from " + err.Cert.NotBefore.UTC().Format(time.RFC3339), true
	}
	ago := now.Sub(err.Cert.NotAfter).Round(time.Minute)
	return TLSExpired, fmt.Sprintf("the serving certificate expired %s ago, at %s", ago, err.Cert.NotAfter.UTC().Format(time.RFC3339)), true
}

func issuedBy(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return fmt.Sprintf(" (issuer %q)", cert.Issuer.String())
}
