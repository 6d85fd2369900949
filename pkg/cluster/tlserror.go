package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

func explainTLS(err error, _ Phase) (Reason, string, bool) {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		reason, message := explainInvalid(invalid)
		return reason, message, true
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return TLSUnknownAuthority, "the serving certificate is not signed by the cluster's certificate authority" + issuedBy(unknown.Cert), true
	}
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return TLSHostnameMismatch, fmt.Sprintf("the serving certificate is not made out to %q", host.Host), true
	}
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return TLSHandshakeFailed, "the serving certificate cannot be verified: " + verify.Err.Error(), true
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return TLSHandshakeFailed, "what answers does not speak TLS: " + record.Msg, true
	}
	return explainAlert(err)
}

func explainInvalid(err x509.CertificateInvalidError) (Reason, string) {
	if err.Reason != x509.Expired || err.Cert == nil {
		return TLSHandshakeFailed, "the serving certificate is not valid: " + err.Error()
	}
	which, now := "the serving certificate", time.Now()
	if err.Cert.IsCA {
		which = fmt.Sprintf("the certificate authority %q of the serving certificate", err.Cert.Subject.String())
	}
	if from := err.Cert.NotBefore; now.Before(from) {
		return TLSExpired, fmt.Sprintf("%s is valid only from %s, in %s", which, minute(from), duration.HumanDuration(from.Sub(now)))
	}
	return TLSExpired, which + expiredAgo(err.Cert.NotAfter, now)
}

func issuedBy(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return fmt.Sprintf(" (issuer %q)", cert.Issuer.String())
}

// explainAlert explains the alert with which the server ended the connection. With TLS 1.3 it comes after the handshake.
// crypto/tls has a type for alerts, but does not export it.
func explainAlert(err error) (Reason, string, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" || op.Err == nil {
		return "", "", false
	}
	alert := reflect.ValueOf(op.Err)
	if alert.Kind() != reflect.Uint8 {
		return "", "", false
	}
	if rejectsClient(alert.Uint()) {
		return Unauthenticated, "the server rejects our client certificate, or wants one: " + op.Err.Error(), true
	}
	return TLSHandshakeFailed, "the server ended the TLS connection: " + op.Err.Error(), true
}

// rejectsClient reports whether an alert of RFC 8446, section 6.2, is about the client's certificate.
func rejectsClient(alert uint64) bool {
	switch alert {
	case 42, // bad_certificate
		43,  // unsupported_certificate
		44,  // certificate_revoked
		45,  // certificate_expired
		46,  // certificate_unknown
		48,  // unknown_ca
		49,  // access_denied
		116: // certificate_required
		return true
	}
	return false
}
