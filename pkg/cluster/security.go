package cluster

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"sync/atomic"
	"time"

	"k8s.io/client-go/transport"
)

// maxReparsed is the size of an authority, in bytes, that is parsed for each handshake: a few certificates, which take some
// 20 µs each. Larger bundles stay parsed.
const maxReparsed = 8 << 10

// security is how the connections to one server are secured: what of it is needed for a handshake, in little memory. A
// connection keeps the configuration that it was made with, so each gets its own, which refers to nothing large.
type security struct {
	serverName string
	minVersion uint16
	// insecure trusts whoever answers: an operator's explicit flag.
	insecure bool
	// authority is the certificate authority of the server in PEM. Parsed, it would be several times as large, and each
	// connection would keep the chain that it was verified by. nil: roots are trusted, nil for the system's.
	authority []byte
	roots     *x509.CertPool
	// certificate returns the client certificate; nil if the server is shown none.
	certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)
	presented   presented
	sessions    lastSession
}

// newSecurity returns nil for a server that speaks plain HTTP.
func newSecurity(tc *transport.Config, base *url.URL) (*security, error) {
	if base.Scheme != "https" {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	config, err := transport.TLSConfigFor(tc)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	s := &security{
		serverName:  cmp.Or(config.ServerName, base.Hostname()),
		minVersion:  config.MinVersion,
		insecure:    config.InsecureSkipVerify,
		roots:       config.RootCAs,
		certificate: config.GetClientCertificate,
	}
	if n := len(tc.TLS.CAData); s.roots != nil && n > 0 && n <= maxReparsed {
		s.authority, s.roots = tc.TLS.CAData, nil
	}
	return s, nil
}

// proof is when what a handshake proved itself with ends, zero if it does not: the server's certificate, and ours.
type proof struct{ serving, client time.Time }

// config returns the configuration of one handshake, which fills in the proof. A fresh one shows everything: it resumes no
// session, though the one it gets is kept for later. Everything is HTTP/1.1: see docs/decisions/0004.
func (s *security) config(fresh bool, p *proof) *tls.Config {
	config := &tls.Config{
		MinVersion:         s.minVersion,
		ServerName:         s.serverName,
		NextProtos:         []string{"http/1.1"},
		RootCAs:            s.roots,
		InsecureSkipVerify: s.insecure || s.authority != nil, //nolint:gosec // verify does it for an authority
		VerifyConnection:   func(state tls.ConnectionState) error { return s.verify(state, p) },
		ClientSessionCache: provenSessions{last: &s.sessions, proof: p, fresh: fresh},
	}
	if s.certificate != nil {
		config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate, err := s.certificate(info)
			if err == nil && certificate.Leaf != nil {
				p.client = certificate.Leaf.NotAfter
				s.presented.observe(p.client)
			}
			return certificate, err
		}
	}
	return config
}

// verify looks at every handshake, also of a resumed session. It does with an authority what crypto/tls does with roots.
func (s *security) verify(state tls.ConnectionState, p *proof) error {
	sent, chains := state.PeerCertificates, state.VerifiedChains
	if s.authority != nil {
		var err error
		if chains, err = s.chains(sent); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: sent, Err: err}
		}
	}
	p.serving = servingEnd(chains, sent)
	return nil
}

// chains returns those that prove the certificates of the server to be of the authority, and made out to it for serving.
func (s *security) chains(sent []*x509.Certificate) ([][]*x509.Certificate, error) {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(s.authority)
	for _, certificate := range sent[1:] {
		intermediates.AddCert(certificate)
	}
	return sent[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: s.serverName})
}

// presented remembers when the client certificate ends that was presented last.
type presented struct{ unix atomic.Int64 }

func (p *presented) observe(end time.Time) { p.unix.Store(end.Unix()) }

// end returns that time, zero if no certificate was presented.
func (p *presented) end() time.Time {
	if seconds := p.unix.Load(); seconds != 0 {
		return time.Unix(seconds, 0)
	}
	return time.Time{}
}

// lastSession is the last session with one server, whoever resumes it; nil if there is none.
type lastSession = atomic.Pointer[session]

// session is one that can be resumed until what proved the server ends. crypto/tls looks by itself at the server's own
// certificate, but at the rest of a chain only where it has verified it.
type session struct {
	state *tls.ClientSessionState
	until time.Time
}

// provenSessions is the session cache of one handshake: of one server, and with the proof of that handshake.
type provenSessions struct {
	last  *lastSession
	proof *proof
	fresh bool
}

// Get returns the session, if there is one that may be resumed.
func (c provenSessions) Get(string) (*tls.ClientSessionState, bool) {
	s := c.last.Load()
	if s == nil || c.fresh || time.Now().After(s.until) {
		return nil, false
	}
	return s.state, true
}

// Put keeps a session, or none, instead of the one before.
func (c provenSessions) Put(_ string, state *tls.ClientSessionState) {
	if state == nil {
		c.last.Store(nil)
		return
	}
	c.last.Store(&session{state, c.proof.serving})
}
