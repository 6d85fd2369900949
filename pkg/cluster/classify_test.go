package cluster_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func phases() []cluster.Phase {
	return []cluster.Phase{
		cluster.PhaseQueue, cluster.PhaseCredential, cluster.PhaseDNS, cluster.PhaseConnect, cluster.PhaseTLS, cluster.PhaseSend,
		cluster.PhaseWait, cluster.PhaseBody, -1, 99,
	}
}

func TestErrorsAreClassifiedByTheirTypes(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		err    error
		phase  cluster.Phase
		reason cluster.Reason
		blame  cluster.Blame
	}{
		{dial(syscall.ECONNREFUSED), cluster.PhaseConnect, cluster.ConnectionRefused, cluster.BlameNetwork},
		{dial(syscall.EHOSTUNREACH), cluster.PhaseConnect, cluster.ConnectionRefused, cluster.BlameNetwork},
		{dial(syscall.ETIMEDOUT), cluster.PhaseConnect, cluster.ConnectTimeout, cluster.BlameNetwork},
		{dial(syscall.EMFILE), cluster.PhaseConnect, cluster.Internal, cluster.BlameObserver},
		{&net.DNSError{Err: "x", IsTemporary: true, UnwrapErr: syscall.EMFILE}, cluster.PhaseDNS, cluster.Internal, cluster.BlameObserver},
		{dial(syscall.EADDRNOTAVAIL), cluster.PhaseConnect, cluster.Internal, cluster.BlameObserver},
		{&net.DNSError{Name: "x", IsTimeout: true}, cluster.PhaseDNS, cluster.DNSFailure, cluster.BlameNetwork},
		{context.DeadlineExceeded, cluster.PhaseQueue, cluster.QueueTimeout, cluster.BlameObserver},
		{context.DeadlineExceeded, cluster.PhaseCredential, cluster.CredentialPluginFailed, cluster.BlameCredential},
		{context.DeadlineExceeded, cluster.PhaseDNS, cluster.DNSFailure, cluster.BlameNetwork},
		{context.DeadlineExceeded, cluster.PhaseConnect, cluster.ConnectTimeout, cluster.BlameNetwork},
		{context.DeadlineExceeded, cluster.PhaseTLS, cluster.ResponseTimeout, cluster.BlameControlPlane},
		{context.DeadlineExceeded, cluster.PhaseBody, cluster.ResponseTimeout, cluster.BlameControlPlane},
		{context.Canceled, cluster.PhaseBody, cluster.ResponseTimeout, cluster.BlameObserver},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), cluster.PhaseBody, cluster.ConnectionReset, cluster.BlameNetwork},
		{io.EOF, cluster.PhaseWait, cluster.ConnectionReset, cluster.BlameNetwork},
		{syscall.ECONNRESET, cluster.PhaseTLS, cluster.ConnectionReset, cluster.BlameNetwork},
		{&os.PathError{Op: "open", Path: "/x", Err: os.ErrNotExist}, cluster.PhaseTLS, cluster.CredentialPluginFailed, cluster.BlameCredential},
		{&tls.CertificateVerificationError{Err: errors.New("x")}, cluster.PhaseTLS, cluster.TLSHandshakeFailed, cluster.BlameControlPlane},
		{&url.Error{Op: "Get", Err: x509.UnknownAuthorityError{}}, cluster.PhaseTLS, cluster.TLSUnknownAuthority, cluster.BlameCredential},
		{x509.CertificateInvalidError{Reason: x509.Expired}, cluster.PhaseTLS, cluster.TLSHandshakeFailed, cluster.BlameControlPlane},
		// Texts that look like something else say nothing.
		{errors.New("connection refused: x509: certificate has expired: EOF"), cluster.PhaseBody, cluster.MalformedResponse, cluster.BlameControlPlane},
		{errors.New("i/o timeout"), cluster.PhaseTLS, cluster.TLSHandshakeFailed, cluster.BlameControlPlane},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, cluster.PhaseTLS, cluster.TLSHandshakeFailed, cluster.BlameControlPlane},
		{cluster.NewError(cluster.NotReady, cluster.PhaseBody, "x", nil), cluster.PhaseDNS, cluster.NotReady, cluster.BlameControlPlane},
	} {
		e := cluster.Classify(fmt.Errorf("wrapped: %w", c.err), c.phase)
		if e.Reason != c.reason || e.Blame != c.blame {
			t.Errorf("%v while %s: %s, blame %d, want %s, %d", c.err, c.phase, e.Reason, e.Blame, c.reason, c.blame)
		}
		if !errors.Is(e, c.err) && !errors.Is(c.err, e) {
			t.Errorf("%v is lost", c.err)
		}
	}
}

func TestEveryReasonHasAMeaning(t *testing.T) {
	t.Parallel()
	for _, reason := range []cluster.Reason{
		cluster.DNSFailure, cluster.ConnectTimeout, cluster.ConnectionRefused, cluster.ConnectionReset, cluster.TLSExpired,
		cluster.TLSUnknownAuthority, cluster.TLSHostnameMismatch, cluster.TLSHandshakeFailed, cluster.Unauthenticated,
		cluster.Forbidden, cluster.Throttled, cluster.NotReady, cluster.ServerError, cluster.MalformedResponse,
		cluster.ResponseTooLarge, cluster.Redirected, cluster.ResponseTimeout, cluster.QueueTimeout,
		cluster.CredentialPluginFailed, cluster.ObserverSuspect, cluster.NotAttempted, cluster.NotFound,
		cluster.InvalidRequest, cluster.Internal,
	} {
		if cluster.NewError(reason, cluster.PhaseBody, "", nil).Hint() == "" {
			t.Errorf("%s has no hint", reason)
		}
	}
}

// FuzzClassify: whatever the words and the phase, there is a reason, and the text is safe.
func FuzzClassify(f *testing.F) {
	f.Add("connection refused", uint8(0), 3)
	f.Add("", uint8(0), 0)
	f.Add("\x1b]0;x\a\r\n\u202e\xff", uint8(5), 7)
	f.Add(strings.Repeat("é\x00", 2000), uint8(9), -4)
	for kind := range uint8(12) {
		for _, phase := range phases() {
			f.Add("words\n", kind, int(phase))
		}
	}
	f.Fuzz(func(t *testing.T, words string, kind uint8, phase int) {
		plain := errors.New(words)
		kinds := []error{
			plain, fmt.Errorf("%s: %w", words, io.EOF), fmt.Errorf("%s: %w", words, context.DeadlineExceeded), &net.DNSError{Name: words, Err: words},
			&net.OpError{Op: "remote error", Err: plain}, &net.OpError{Op: words, Err: plain},
			x509.HostnameError{Host: words, Certificate: &x509.Certificate{}},
			x509.UnknownAuthorityError{Cert: &x509.Certificate{RawSubject: []byte(words)}},
			&tls.CertificateVerificationError{Err: plain},
			tls.RecordHeaderError{Msg: words},
			&os.PathError{Path: words, Err: plain},
			x509.CertificateInvalidError{Detail: words, Cert: &x509.Certificate{}},
		}
		e := cluster.Classify(kinds[int(kind)%len(kinds)], cluster.Phase(phase))
		if e.Reason == "" || e.Message == "" || e.Hint() == "" {
			t.Errorf("%+v", e)
		}
		checkSafe(t, strings.ReplaceAll(e.Error(), canary, ""))
		if again := cluster.Classify(fmt.Errorf("read: %w", e), cluster.PhaseQueue); again != e || e.RetryAfter != 0 {
			t.Errorf("%+v is classified again as %+v", e, again)
		}
		for _, p := range phases() {
			if cluster.Classify(plain, p).Reason == "" || p.String() == "" {
				t.Errorf("nothing in phase %d", p)
			}
		}
	})
}
