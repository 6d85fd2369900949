package cluster_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// clock is how messages write a time.
const clock = "2006-01-02T15:04Z"

// between returns an edit that sets when a certificate is valid.
func between(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to)
	}
}

// jwt returns a token that expires then. Nobody has signed it.
func jwt(expires time.Time) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part(fmt.Appendf(nil, `{"exp":%d}`, expires.Unix())) + "." + part([]byte("signature"))
}

// failEveryWay calls look with the failure of a full and a quick probe and a read.
func failEveryWay(t *testing.T, config *rest.Config, reason cluster.Reason, look func(t *testing.T, message, hint string)) {
	t.Helper()
	for _, depth := range []cluster.Depth{cluster.Full, cluster.Quick} {
		v, err := newClient(t, config).Probe(t.Context(), depth, cluster.DefaultProbeTimeout)
		if err != nil || v.Reason != reason {
			t.Fatalf("%+v, %v", v, err)
		}
		checkVerdict(t, v)
		look(t, v.Message, v.Hint)
	}
	e := readAll(t.Context(), t, newClient(t, config), pods)
	if e == nil || e.Reason != reason {
		t.Fatalf("%+v", e)
	}
	checkSafe(t, e.Message)
	look(t, e.Message, e.Hint())
}

func TestACertificateOutOfItsTimeSaysSinceWhenAndWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to time.Duration
		says     func(c *x509.Certificate) string
	}{
		"expired": {-9 * time.Hour, -3*time.Hour - time.Second, func(c *x509.Certificate) string {
			return "the serving certificate expired 3h ago (" + c.NotAfter.UTC().Format(clock) + ")"
		}},
		"long expired": {-9 * 24 * time.Hour, -50 * time.Hour, func(c *x509.Certificate) string {
			return "the serving certificate expired 2d2h ago (" + c.NotAfter.UTC().Format(clock) + ")"
		}},
		"not yet valid": {50*time.Hour + 30*time.Minute, 90 * time.Hour, func(c *x509.Certificate) string {
			return "the serving certificate is valid only from " + c.NotBefore.UTC().Format(clock) + ", in 2d2h"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, withCertificate(func(ca *authority) tls.Certificate { return ca.issue(between(c.from, c.to)) }))
			want := c.says(a.TLS.Certificates[0].Leaf)
			failEveryWay(t, a.config(), cluster.TLSExpired, func(t *testing.T, message, hint string) {
				t.Helper()
				if message != want {
					t.Errorf("message %q, want %q", message, want)
				}
				if !strings.Contains(hint, "kubeadm certs renew apiserver") || !strings.Contains(hint, "clock") {
					t.Errorf("hint %q", hint)
				}
			})
		})
	}
}

func TestAnExpiredAuthorityIsNotTakenForTheServingCertificate(t *testing.T) {
	t.Parallel()
	old := newAuthority("old CA")
	old.cert.NotBefore, old.cert.NotAfter = time.Now().Add(-9*time.Hour), time.Now().Add(-3*time.Hour-time.Second)
	old.cert = sign(old.cert, old.cert, old.key.Public(), old.key)
	a := newAPI(t, func(a *api) {
		a.ca = old
		a.TLS.Certificates = []tls.Certificate{old.serving("127.0.0.1")}
	})
	want := `the certificate authority "CN=old CA" of the serving certificate expired 3h ago (` + old.cert.NotAfter.UTC().Format(clock) + ")"
	failEveryWay(t, a.config(), cluster.TLSExpired, func(t *testing.T, message, _ string) {
		t.Helper()
		if message != want {
			t.Errorf("message %q, want %q", message, want)
		}
	})
}

func TestARejectedCredentialThatHasExpiredSaysSo(t *testing.T) {
	t.Parallel()
	long := time.Now().Add(-50 * time.Hour)
	ago := " expired 2d2h ago (" + long.UTC().Format(clock) + ")"
	withToken := func(token string) func(*testing.T, *api) *rest.Config {
		return func(_ *testing.T, a *api) *rest.Config {
			config := a.config()
			config.BearerToken = token
			return config
		}
	}
	withCertificate := func(end time.Time) func(*testing.T, *api) *rest.Config {
		return func(_ *testing.T, a *api) *rest.Config {
			config := a.config()
			config.BearerToken = ""
			config.CertData, config.KeyData = pair(a.ca.issue(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = long.Add(-time.Hour), end }))
			return config
		}
	}
	for name, c := range map[string]struct {
		config  func(*testing.T, *api) *rest.Config
		refuses tls.ClientAuthType
		begins  string
	}{
		"token": {config: withToken(jwt(long)), begins: "the token" + ago + ": the server answered 401: Unauthorized"},
		"token in a file": {config: func(t *testing.T, a *api) *rest.Config {
			t.Helper()
			config := a.config()
			config.BearerToken, config.BearerTokenFile = "", filepath.Join(t.TempDir(), "token")
			must(os.WriteFile(config.BearerTokenFile, []byte(jwt(long)), 0o600))
			return config
		}, begins: "the token" + ago + ": the server answered 401"},
		"token of a plugin": {config: func(t *testing.T, a *api) *rest.Config {
			t.Helper()
			return plugin(t, a, printing(jwt(long)))
		}, begins: "the token" + ago + ": the server answered 401"},
		"client certificate": {config: withCertificate(long), begins: "the client certificate" + ago + ": the server answered 401: Unauthorized"},
		"client certificate, in the handshake": {
			config: withCertificate(long), refuses: tls.RequireAndVerifyClientCert,
			begins: "the client certificate" + ago + ": the server rejects our client certificate",
		},
		"both": {config: func(t *testing.T, a *api) *rest.Config {
			t.Helper()
			config := withCertificate(long)(t, a)
			config.BearerToken = jwt(long)
			return config
		}, begins: "the client certificate" + ago + ", the token" + ago + ": the server answered 401"},
		"a token that has time left":       {config: withToken(jwt(time.Now().Add(time.Hour))), begins: "the server answered 401: Unauthorized"},
		"a certificate that has time left": {config: withCertificate(time.Now().Add(time.Hour)), begins: "the server answered 401: Unauthorized"},
		"a token that tells nothing":       {config: withToken(canary), begins: "the server answered 401: Unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, func(a *api) {
				pool := x509.NewCertPool()
				pool.AddCert(a.ca.cert)
				a.TLS.ClientCAs, a.TLS.ClientAuth = pool, max(c.refuses, tls.RequestClientCert)
			})
			a.guarded(func(*http.Request) bool { return false })
			failEveryWay(t, c.config(t, a), cluster.Unauthenticated, func(t *testing.T, message, hint string) {
				t.Helper()
				if !strings.HasPrefix(message, c.begins) {
					t.Errorf("message %q does not begin with %q", message, c.begins)
				}
				if !strings.Contains(hint, "renew the credential") {
					t.Errorf("hint %q", hint)
				}
			})
		})
	}
}

func TestWhatHasExpiredIsNotBlamedForOtherFailures(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, _ *http.Request) { status(w, http.StatusForbidden, "no right") })
	config := a.config()
	config.BearerToken = jwt(time.Now().Add(-time.Hour))
	if e := readAll(t.Context(), t, newClient(t, config), pods); e == nil || strings.Contains(e.Message, "expired") {
		t.Errorf("got %v", e)
	}
}

func TestATokenIsNamedWhereOnlyItsReviewIsRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on("/apis/authentication.k8s.io/v1/selfsubjectreviews", func(w http.ResponseWriter, _ *http.Request) {
		status(w, http.StatusUnauthorized, "Unauthorized")
	})
	config := a.config()
	config.BearerToken = jwt(time.Now().Add(-50 * time.Hour))
	v, err := newClient(t, config).Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout)
	if err != nil || v.Reason != cluster.Unauthenticated || !strings.HasPrefix(v.Message, "the token expired 2d2h ago (") {
		t.Errorf("%+v, %v", v, err)
	}
}
