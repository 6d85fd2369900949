package cluster

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// readExpiries records when the certificates and the token of a fresh connection expire.
func (p *prober) readExpiries() {
	t := p.trace
	p.expires(ServingCertificate, t.proof.serving)
	p.expires(ClientCertificateExpiry, t.proof.client)
	p.expires(TokenExpiry, t.token)
}

func (p *prober) expires(kind ExpiryKind, at time.Time) {
	if !at.IsZero() {
		p.verdict.Expiries = append(p.verdict.Expiries, Expiry{Kind: kind, At: at})
	}
}

// servingEnd returns when the last of the chains ends that prove the certificates of the server; where nothing was proved,
// when its own does.
func servingEnd(chains [][]*x509.Certificate, sent []*x509.Certificate) (at time.Time) {
	for _, chain := range chains {
		if end := soonest(chain); end.After(at) {
			at = end
		}
	}
	if at.IsZero() && len(sent) > 0 {
		at = sent[0].NotAfter
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
	if at := c.transports.Load().presentedUntil(); !at.IsZero() && at.Before(now) {
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
