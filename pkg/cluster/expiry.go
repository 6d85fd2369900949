package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// readExpiries records when the certificates and the token of a fresh connection expire.
func (p *prober) readExpiries() {
	t := p.trace
	if t.tls != nil {
		p.expires(ServingCertificate, servingEnd(t.tls))
	}
	p.expires(ClientCertificateExpiry, t.clientCertificate)
	p.expires(TokenExpiry, t.token)
}

func (p *prober) expires(kind ExpiryKind, at time.Time) {
	if !at.IsZero() {
		p.verdict.Expiries = append(p.verdict.Expiries, Expiry{Kind: kind, At: at})
	}
}

// servingEnd returns when the last of the chains ends that prove the server's certificate; where nothing was proved,
// when the certificate itself does.
func servingEnd(state *tls.ConnectionState) (at time.Time) {
	for _, chain := range state.VerifiedChains {
		if end := soonest(chain); end.After(at) {
			at = end
		}
	}
	if at.IsZero() && len(state.PeerCertificates) > 0 {
		at = state.PeerCertificates[0].NotAfter
	}
	return at
}

func soonest(chain []*x509.Certificate) (at time.Time) {
	for _, c := range chain {
		if at.IsZero() || c.NotAfter.Before(at) {
			at = c.NotAfter
		}
	}
	return at
}

// tokenExpiry returns when the bearer token of an Authorization header expires, zero if it is no JSON Web Token or does
// not say. Nothing is verified: it is our own token.
func tokenExpiry(authorization string) time.Time {
	token, found := strings.CutPrefix(authorization, "Bearer ")
	parts := strings.Split(token, ".")
	if !found || len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires json.Number `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return time.Time{}
	}
	seconds, err := claims.Expires.Float64()
	if err != nil || seconds <= 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// freshConfig returns the configuration of a handshake that shows everything: it resumes no session, though the one it
// gets is kept for later, and it records the client certificate that is presented.
func freshConfig(config *tls.Config, t *trace) *tls.Config {
	config = config.Clone()
	if config.ClientSessionCache != nil {
		config.ClientSessionCache = putOnly{config.ClientSessionCache}
	}
	if get := config.GetClientCertificate; get != nil {
		config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate, err := get(info)
			if err == nil && certificate.Leaf != nil {
				t.clientCertificate = certificate.Leaf.NotAfter
			}
			return certificate, err
		}
	}
	return config
}

// putOnly is a session cache that remembers but does not tell.
type putOnly struct{ tls.ClientSessionCache }

// Get returns nothing.
func (putOnly) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
