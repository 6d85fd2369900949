package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
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

// explainRejected makes the failure of a rejected credential say what of the credential has expired. sent is the request
// as it was sent, nil if there was no answer to one.
func (c *Client) explainRejected(failure *Error, sent *http.Request) *Error {
	if failure == nil || failure.Reason != Unauthenticated {
		return failure
	}
	var expired []string
	now := time.Now()
	if at := c.transports.Load().certificate.end(); !at.IsZero() && at.Before(now) {
		expired = append(expired, "the client certificate"+expiredAgo(at, now))
	}
	if sent != nil {
		if at := tokenExpiry(sent.Header.Get("Authorization")); !at.IsZero() && at.Before(now) {
			expired = append(expired, "the token"+expiredAgo(at, now))
		}
	}
	if len(expired) > 0 {
		failure.Message = safetext.Clean(strings.Join(expired, ", ") + ": " + failure.Message)
	}
	return failure
}

func expiredAgo(at, now time.Time) string {
	return fmt.Sprintf(" expired %s ago (%s)", duration.HumanDuration(now.Sub(at)), minute(at))
}

// minute returns a time as people compare it with a clock.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z") }

// presented remembers when the client certificate ends that was presented last.
type presented struct{ unix atomic.Int64 }

// end returns that time, zero if no certificate was presented.
func (p *presented) end() time.Time {
	if seconds := p.unix.Load(); seconds != 0 {
		return time.Unix(seconds, 0)
	}
	return time.Time{}
}

// observe makes the configuration tell which client certificate it presents.
func (p *presented) observe(config *tls.Config) {
	if config == nil || config.GetClientCertificate == nil {
		return
	}
	get := config.GetClientCertificate
	config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		certificate, err := get(info)
		if err == nil && certificate.Leaf != nil {
			p.unix.Store(certificate.Leaf.NotAfter.Unix())
		}
		return certificate, err
	}
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
