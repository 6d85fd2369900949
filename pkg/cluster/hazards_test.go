package cluster_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// finding is what a failed call says, without its words.
type finding struct {
	State  cluster.State
	Reason cluster.Reason
	Phase  cluster.Phase
	Blame  cluster.Blame
	Status int
}

var pods = cluster.Query{Type: cluster.TypeName{Version: "v1", Name: "pods"}} //nolint:gochecknoglobals // a constant

// shortly is the timeout of calls that are meant to take it whole.
const shortly = time.Second

// hazard is one way in which a server can be broken or hostile.
type hazard struct {
	name  string
	start func(t *testing.T) *rest.Config
	// timeout is the one of the call, a few seconds if it is not set. at most is what the call may take.
	timeout, atMost time.Duration
	reason          cluster.Reason
	state           cluster.State
	phase, orPhase  cluster.Phase
	blame           cluster.Blame
	status          int
	retryAfter      time.Duration
	says            string // part of the message
	// probe is the reason of a probe where it differs from that of a read.
	probe cluster.Reason
}

func (h hazard) withDefaults() hazard {
	if h.timeout == 0 {
		h.timeout, h.atMost = 4*time.Second, 3*time.Second
	}
	return h
}

func serving(edit ...func(*api)) func(t *testing.T) *rest.Config {
	return func(t *testing.T) *rest.Config { t.Helper(); return newAPI(t, edit...).config() }
}

func answering(handler http.HandlerFunc) func(t *testing.T) *rest.Config {
	return serving(func(a *api) { a.handlers["*"] = handler })
}

func raw(serve func(net.Conn)) func(t *testing.T) *rest.Config {
	return func(t *testing.T) *rest.Config { t.Helper(); return rawServer(t, serve) }
}

func hazards() []hazard {
	const hostile = "\x1b[31m\r\n\u202e\xff\x00"
	return []hazard{
		{
			name: "connection refused",
			start: func(t *testing.T) *rest.Config {
				t.Helper()
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				must(err)
				defer listener.Close()
				return &rest.Config{Host: "https://" + listener.Addr().String(), BearerToken: canary}
			},
			reason: cluster.ConnectionRefused, state: cluster.Unreachable, phase: cluster.PhaseConnect, blame: cluster.BlameNetwork,
		},
		{
			name: "name does not exist",
			start: func(*testing.T) *rest.Config {
				return &rest.Config{Host: "https://no-such-host.invalid", BearerToken: canary, Dial: func(context.Context, string, string) (net.Conn, error) {
					return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "no-such-host.invalid", IsNotFound: true}}
				}}
			},
			reason: cluster.DNSFailure, state: cluster.Unreachable, phase: cluster.PhaseDNS, blame: cluster.BlameNetwork,
		},
		{
			name: "accepts and says nothing", timeout: shortly, atMost: 2 * time.Second,
			start:  func(t *testing.T) *rest.Config { t.Helper(); return rawListener(t, newAuthority("x"), silent) },
			reason: cluster.ResponseTimeout, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "takes the request and says nothing", timeout: shortly, atMost: 2 * time.Second, start: raw(silent),
			reason: cluster.ResponseTimeout, state: cluster.Unreachable, phase: cluster.PhaseWait, blame: cluster.BlameControlPlane,
		},
		{
			name: "closes before the handshake",
			start: func(t *testing.T) *rest.Config {
				t.Helper()
				return rawListener(t, newAuthority("x"), func(net.Conn) {})
			},
			reason: cluster.ConnectionReset, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameNetwork,
		},
		{
			name: "closes after the handshake", start: raw(func(net.Conn) {}),
			reason: cluster.ConnectionReset, state: cluster.Unreachable, phase: cluster.PhaseWait, orPhase: cluster.PhaseSend, blame: cluster.BlameNetwork,
		},
		{
			name: "closes before the answer", start: raw(func(conn net.Conn) { readRequest(conn) }),
			reason: cluster.ConnectionReset, state: cluster.Unreachable, phase: cluster.PhaseWait, blame: cluster.BlameNetwork,
		},
		{
			name: "endless header", start: raw(repeats("HTTP/1.1 200 OK\r\n", "X-Padding: "+strings.Repeat("x", 1000)+"\r\n")),
			reason: cluster.ResponseTooLarge, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane,
		},
		{
			name: "endless header line", start: raw(repeats("HTTP/1.1 200 OK\r\nX-Padding: ", strings.Repeat("x", 4096))),
			reason: cluster.ResponseTooLarge, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane,
		},
		{
			name: "not HTTP", start: raw(says("SSH-2.0-OpenSSH_9.9\r\n\r\n")),
			reason: cluster.MalformedResponse, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane,
		},
		{
			name: "not TLS",
			start: func(t *testing.T) *rest.Config {
				t.Helper()
				return rawListener(t, newAuthority("x"), func(conn net.Conn) {
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\n\r\n")
					silent(conn)
				})
			},
			reason: cluster.TLSHandshakeFailed, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "redirect", start: answering(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://user:"+canary+"@elsewhere.invalid/login?token="+canary)
				w.WriteHeader(http.StatusFound)
			}),
			says:   "redirects to https://elsewhere.invalid",
			reason: cluster.Redirected, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 302,
		},
		{
			name: "throttled, for 68 years", start: answering(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", strconv.Itoa(1<<31))
				status(w, http.StatusTooManyRequests, "too many requests")
			}),
			reason: cluster.Throttled, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 429, retryAfter: time.Minute,
		},
		{
			name: "throttled until a date", start: answering(func(w http.ResponseWriter, _ *http.Request) {
				now := time.Now().UTC()
				w.Header().Set("Date", now.Format(http.TimeFormat))
				w.Header().Set("Retry-After", now.Add(7*time.Second).Format(http.TimeFormat))
				status(w, http.StatusTooManyRequests, "")
			}),
			reason: cluster.Throttled, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 429, retryAfter: 7 * time.Second,
		},
		{
			name: "server error", start: answering(always(500, "boom")),
			reason: cluster.ServerError, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 500,
		},
		{
			name: "unavailable", start: answering(always(503, "<html>no healthy upstream</html>")),
			reason: cluster.ServerError, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 503,
		},
		{
			name: "rejects the credential", start: answering(func(w http.ResponseWriter, _ *http.Request) { status(w, 401, "Unauthorized") }),
			reason: cluster.Unauthenticated, state: cluster.Unauthorized, phase: cluster.PhaseBody, blame: cluster.BlameCredential, status: 401,
		},
		{
			name: "forbids, and repeats the credential", start: answering(func(w http.ResponseWriter, r *http.Request) {
				status(w, 403, "no right for "+r.Header.Get("Authorization"))
			}),
			says:   "no right for Bearer [credential]",
			reason: cluster.Forbidden, state: cluster.Unauthorized, phase: cluster.PhaseBody, blame: cluster.BlameCredential, status: 403,
		},
		{
			name: "malformed answer that repeats the credential", start: raw(says(canary + " " + canary + "\r\n\r\n")),
			reason: cluster.MalformedResponse, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane,
		},
		{
			name: "long and hostile words", start: answering(func(w http.ResponseWriter, _ *http.Request) {
				status(w, 500, strings.ReplaceAll(strings.ReplaceAll(strings.Repeat(hostile, 1000), "\r\n", `\r\n`), "\x1b", "\u001b"))
			}),
			reason: cluster.ServerError, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 500,
		},
		{
			name: "strange status", start: answering(always(418, "teapot")), probe: cluster.MalformedResponse,
			reason: cluster.InvalidRequest, state: cluster.Degraded, phase: cluster.PhaseBody, blame: cluster.BlameControlPlane, status: 418,
		},
		{
			name: "expired certificate", start: serving(withCertificate(func(ca *authority) tls.Certificate { return ca.issue(expire) })),
			says:   "expired",
			reason: cluster.TLSExpired, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "certificate of the future", start: serving(withCertificate(func(ca *authority) tls.Certificate {
				return ca.issue(func(c *x509.Certificate) {
					c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
					c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
				})
			})),
			says:   "valid only from",
			reason: cluster.TLSExpired, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "certificate of another host", start: serving(withCertificate(func(ca *authority) tls.Certificate { return ca.serving("other.invalid") })),
			reason: cluster.TLSHostnameMismatch, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "certificate of an unknown authority", start: func(t *testing.T) *rest.Config {
				t.Helper()
				config := newAPI(t).config()
				config.CAData = newAuthority("another CA").pem()
				return config
			},
			reason: cluster.TLSUnknownAuthority, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameCredential,
		},
		{
			name: "certificate with ten thousand names", start: serving(withCertificate(func(ca *authority) tls.Certificate {
				return ca.issue(func(c *x509.Certificate) {
					for i := range 3000 {
						c.DNSNames = append(c.DNSNames, fmt.Sprintf("h%d.invalid", i))
					}
				})
			})),
			reason: cluster.TLSHostnameMismatch, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "certificate outside its authority's bounds", start: func(t *testing.T) *rest.Config {
				t.Helper()
				root := newAuthority("root")
				bound := &authority{key: newKey()}
				bound.cert = sign(&x509.Certificate{
					SerialNumber: big.NewInt(7), Subject: root.cert.Subject, NotBefore: root.cert.NotBefore, NotAfter: root.cert.NotAfter,
					IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, PermittedDNSDomains: []string{"inside.invalid"},
				}, root.cert, bound.key.Public(), root.key)
				config := newAPI(t, func(a *api) {
					leaf := bound.serving("outside.invalid")
					leaf.Certificate = append(leaf.Certificate, bound.cert.Raw)
					a.TLS.Certificates = []tls.Certificate{leaf}
				}).config()
				config.CAData, config.ServerName = root.pem(), "outside.invalid"
				return config
			},
			reason: cluster.TLSHandshakeFailed, state: cluster.Unreachable, phase: cluster.PhaseTLS, blame: cluster.BlameControlPlane,
		},
		{
			name: "wants a client certificate", start: serving(func(a *api) { a.TLS.ClientAuth = tls.RequireAnyClientCert }),
			reason: cluster.Unauthenticated, state: cluster.Unauthorized, phase: cluster.PhaseWait, orPhase: cluster.PhaseSend, blame: cluster.BlameCredential,
		},
	}
}

func TestFailuresAreNamed(t *testing.T) {
	t.Parallel()
	for _, h := range hazards() {
		for _, way := range []struct {
			name string
			call func(*testing.T, hazard, *cluster.Client) (finding, *cluster.Error)
		}{{"quick probe", probeWay(cluster.Quick)}, {"full probe", probeWay(cluster.Full)}, {"read", readWay}} {
			t.Run(h.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				h := h.withDefaults()
				client := newClient(t, h.start(t))
				start := time.Now()
				got, e := way.call(t, h, client)
				if took := time.Since(start); took > h.atMost {
					t.Errorf("took %v, want at most %v", took, h.atMost)
				}
				want := finding{State: h.state, Reason: h.reason, Phase: h.phase, Blame: h.blame, Status: h.status}
				if way.name != "read" && h.probe != "" {
					want.Reason = h.probe
				}
				if way.name == "read" {
					want.State = h.reason.State()
					if h.probe != "" {
						want.Blame = cluster.BlameNone
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s\n%s", diff, e.Message)
				}
				if e.RetryAfter != h.retryAfter {
					t.Errorf("retry after %v, want %v", e.RetryAfter, h.retryAfter)
				}
				if !strings.Contains(e.Message, h.says) {
					t.Errorf("message %q does not say %q", e.Message, h.says)
				}
				checkSafe(t, e.Message)
				if h.status != http.StatusTooManyRequests && h.status != http.StatusServiceUnavailable {
					checkFree(t, client, h.timeout/4)
				}
			})
		}
	}
}

// probeWay returns a call that probes. What a verdict does not hold, phase and status, it takes from what the verdict
// should have been: reads show those.
func probeWay(depth cluster.Depth) func(*testing.T, hazard, *cluster.Client) (finding, *cluster.Error) {
	return func(t *testing.T, h hazard, client *cluster.Client) (finding, *cluster.Error) {
		t.Helper()
		v, err := client.Probe(t.Context(), depth, h.timeout)
		if err != nil {
			t.Fatal("an error where there is a verdict:", err)
		}
		checkVerdict(t, v)
		return finding{v.State, v.Reason, h.phase, v.Blame, h.status}, &cluster.Error{Message: v.Message, RetryAfter: v.RetryAfter}
	}
}

func readWay(t *testing.T, h hazard, client *cluster.Client) (finding, *cluster.Error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), h.timeout)
	defer cancel()
	e := readAll(ctx, t, client, pods)
	if e == nil {
		t.Fatal("no failure")
	}
	phase := e.Phase
	if h.orPhase != 0 && phase == h.orPhase {
		phase = h.phase
	}
	return finding{e.Reason.State(), e.Reason, phase, e.Blame, e.StatusCode}, e
}

// readAll reads and returns the failure.
func readAll(ctx context.Context, t *testing.T, client *cluster.Client, q cluster.Query) *cluster.Error {
	t.Helper()
	body, err := client.Read(ctx, q, "")
	if err == nil {
		defer body.Close()
		_, err = io.Copy(io.Discard, body)
	}
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*cluster.Error](err)
	if !ok {
		t.Fatalf("%T is no *Error: %v", err, err)
	}
	return e
}

// checkSafe fails for text that nobody should be shown.
func checkSafe(t *testing.T, text string) {
	t.Helper()
	if len(text) > 1024 || !utf8.ValidString(text) || strings.Contains(text, canary) {
		t.Errorf("unsafe text: %q", text)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Errorf("unsafe character %U in %q", r, text)
		}
	}
}

// checkVerdict fails for a verdict that is not whole.
func checkVerdict(t *testing.T, v *cluster.Verdict) {
	t.Helper()
	texts := append([]string{v.Message, v.Hint, v.ServerVersion, v.Username}, v.FailingChecks...)
	for i, check := range v.Checks {
		texts = append(texts, check.Message)
		if check.Duration < 0 || check.FirstByte < 0 || check.Duration > v.Duration {
			t.Errorf("check %+v of a probe that took %v", check, v.Duration)
		}
		if i > 0 && check.Kind <= v.Checks[i-1].Kind {
			t.Errorf("checks out of order: %+v", v.Checks)
		}
		if (check.Outcome == cluster.Failed) != (check.Reason != "") {
			t.Errorf("check %+v", check)
		}
	}
	for _, text := range texts {
		checkSafe(t, text)
	}
	if v.State != cluster.Healthy && (v.Reason == "" || v.Message == "" || v.Hint == "") {
		t.Errorf("no reason, message or hint: %+v", v)
	}
}

// checkFree fails if the client's places are not free: a call that ended took its place with it.
func checkFree(t *testing.T, client *cluster.Client, timeout time.Duration) {
	t.Helper()
	var e *cluster.Error
	for range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		e = readAll(ctx, t, client, pods)
		cancel()
	}
	if e != nil && e.Reason == cluster.QueueTimeout {
		t.Errorf("no place is free: %v", e)
	}
}

func TestNothingIsSentToARedirectsTarget(t *testing.T) {
	t.Parallel()
	target := newAPI(t)
	a := newAPI(t)
	a.on("*", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", target.URL+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	client := newClient(t, a.config())
	for _, depth := range []cluster.Depth{cluster.Quick, cluster.Full} {
		v, err := client.Probe(t.Context(), depth, cluster.DefaultProbeTimeout)
		if err != nil || v.Reason != cluster.Redirected {
			t.Errorf("%+v, %v", v, err)
		}
	}
	if e := readAll(t.Context(), t, client, pods); e == nil || e.Reason != cluster.Redirected {
		t.Errorf("%+v", e)
	}
	if n := target.conns.Load(); n != 0 {
		t.Errorf("the target got %d connections", n)
	}
}
