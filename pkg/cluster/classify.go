package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// errTooLarge is the cause of every failure at a bound of what is read.
var errTooLarge = errors.New("larger than the bound")

// errRedirect is the cause of a refused redirect.
var errRedirect = errors.New("redirects are not followed")

// Classify turns the error of a call that ended in the given phase into an *Error. It looks at types only, never at
// texts. An error that already is an *Error is returned as it is.
func Classify(err error, phase Phase) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if errors.Is(err, context.Canceled) {
		return Unfinished(phase, err)
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

// explain looks at the most telling type first: our own limits, then what the server showed of itself, then how the
// connection ended, and last how far the call had come.
func explain(err error, phase Phase) (Reason, string) {
	switch {
	case isOurs(err):
		return Internal, "the aggregator has no more file descriptors, ports or memory for a connection"
	case errors.Is(err, errTooLarge):
		return ResponseTooLarge, "the answer is larger than the aggregator reads: " + err.Error()
	case errors.Is(err, errRedirect):
		return Redirected, err.Error()
	}
	for _, kind := range []func(error, Phase) (Reason, string, bool){explainCredential, explainTLS, explainConnection} {
		if reason, message, ok := kind(err, phase); ok {
			return reason, message
		}
	}
	switch phase {
	case PhaseDNS, PhaseConnect:
		return ConnectionRefused, "cannot connect: " + err.Error()
	case PhaseTLS:
		return TLSHandshakeFailed, "the TLS handshake failed: " + err.Error()
	case PhaseWait, PhaseBody:
		return MalformedResponse, "the answer is not valid: " + err.Error()
	case PhaseQueue, PhaseCredential, PhaseSend:
	}
	return Internal, err.Error()
}

func explainCredential(err error, phase Phase) (Reason, string, bool) {
	if plugin, ok := errors.AsType[*pluginError](err); ok {
		return CredentialPluginFailed, plugin.Error(), true
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return CredentialPluginFailed, "a file of the credential cannot be read: " + path.Error(), true
	}
	if phase == PhaseCredential && !isTimeout(err) {
		return CredentialPluginFailed, "the credential cannot be had: " + err.Error(), true
	}
	return "", "", false
}

func explainConnection(err error, phase Phase) (Reason, string, bool) {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return DNSFailure, explainDNS(dns), true
	}
	switch {
	case isTimeout(err):
		reason, message := explainTimeout(phase)
		return reason, message, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnectionRefused, "the connection was refused", true
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH),
		errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EHOSTDOWN):
		return ConnectionRefused, "no route leads to the server", true
	case isReset(err):
		return ConnectionReset, explainReset(phase), true
	}
	return "", "", false
}

// isOurs reports whether the aggregator's own limits made the call fail.
func isOurs(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// isTimeout reports whether time ran out, ours or the system's.
func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return true
	}
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// isReset reports whether a connection ended before it should have.
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

func explainReset(phase Phase) string {
	switch phase {
	case PhaseTLS:
		return "the connection was cut during the TLS handshake"
	case PhaseBody:
		return "the connection was cut in the middle of the answer"
	case PhaseQueue, PhaseCredential, PhaseDNS, PhaseConnect, PhaseSend, PhaseWait:
	}
	return "the connection was cut before the answer"
}
