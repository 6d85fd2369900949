package cluster_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// outcomes returns the checks of a verdict without their times and words.
func outcomes(v *cluster.Verdict) []string {
	kinds := []string{"", "DNS", "TCP", "TLS", "READY", "VERSION", "AUTHN", "AUTHZ"}
	marks := []string{"", "passed", "failed", "skipped"}
	var all []string
	for _, c := range v.Checks {
		all = append(all, strings.TrimSpace(kinds[c.Kind]+" "+marks[c.Outcome]+" "+string(c.Reason)))
	}
	return all
}

const (
	reviews       = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	accessReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
)

func TestAFullProbeShowsEveryStep(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	config := a.config()
	config.Host = strings.Replace(config.Host, "127.0.0.1", "localhost", 1)
	v := probe(t, newClient(t, config), cluster.Full)
	want := []string{"DNS passed", "TCP passed", "TLS passed", "READY passed", "VERSION passed", "AUTHN passed", "AUTHZ passed"}
	if diff := cmp.Diff(want, outcomes(v)); diff != "" {
		t.Error(diff)
	}
	if v.ServerVersion != "v1.36.3" || v.Username != "jane" || v.Duration <= 0 {
		t.Errorf("%+v", v)
	}
	var sum time.Duration
	for _, c := range v.Checks {
		if sum += c.Duration; c.Kind >= cluster.CheckReady && (c.FirstByte <= 0 || c.FirstByte > c.Duration) {
			t.Errorf("first byte of %+v", c)
		}
	}
	if sum > v.Duration {
		t.Errorf("checks take %v of %v", sum, v.Duration)
	}
	if at := expiry(v, cluster.ServingCertificate); !at.Equal(a.TLS.Certificates[0].Leaf.NotAfter) {
		t.Errorf("serving certificate ends %v", at)
	}
	if !v.ClockKnown || v.ClockSkew.Abs() > 2*time.Second {
		t.Errorf("clock skew %v", v.ClockSkew)
	}
}

func TestACredentialInEscapesIsConcealed(t *testing.T) {
	t.Parallel()
	var escaped strings.Builder
	for _, c := range canary {
		fmt.Fprintf(&escaped, `\u%04x`, c)
	}
	a := newAPI(t)
	a.on("/version", always(200, `{"gitVersion":"v1 `+escaped.String()+`"}`))
	a.on(reviews, always(201, `{"status":{"userInfo":{"username":"jane `+escaped.String()+`"}}}`))
	v := probe(t, newClient(t, a.config()), cluster.Full)
	if v.ServerVersion != "v1 [credential]" || v.Username != "jane [credential]" {
		t.Errorf("%q, %q", v.ServerVersion, v.Username)
	}
}

func TestAServerNamedByItsAddressNeedsNoName(t *testing.T) {
	t.Parallel()
	v := probe(t, newClient(t, newAPI(t).config()), cluster.Full)
	if got := outcomes(v)[0]; got != "DNS skipped" {
		t.Error(got)
	}
}

func TestAQuickProbeRepeatsWhatTheClusterSaid(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	client := newClient(t, a.config())
	probe(t, client, cluster.Full)
	a.on("/version", always(500, ""))
	a.on(reviews, always(500, ""))
	if v, err := client.Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout); err != nil || v.Reason != cluster.ServerError {
		t.Errorf("%+v, %v", v, err)
	}
	v := probe(t, client, cluster.Quick)
	if diff := cmp.Diff([]string{"READY passed"}, outcomes(v)); diff != "" {
		t.Error(diff)
	}
	if v.ServerVersion != "v1.36.3" || v.Username != "jane" {
		t.Errorf("%+v", v)
	}
}

func TestAProbeFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	token := "x." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1790000000}`)) + ".y"
	reached := []string{"DNS skipped", "TCP passed", "TLS passed"}
	for name, c := range map[string]struct {
		edit   func(*api)
		token  string
		state  cluster.State
		reason cluster.Reason
		blame  cluster.Blame
		checks []string
		says   string
		look   func(*testing.T, *cluster.Verdict)
	}{
		"failing checks": {
			edit: func(a *api) {
				a.on("/readyz", always(500, "[+]ping ok\n[-]etcd failed: reason withheld\n[-]\n[-]poststarthook/a\x1bb failed\nreadyz check failed\n"))
			},
			state: cluster.Degraded, reason: cluster.NotReady, blame: cluster.BlameControlPlane, says: "etcd",
			checks: []string{"READY failed NOT_READY", "VERSION passed", "AUTHN passed", "AUTHZ passed"},
			look: func(t *testing.T, v *cluster.Verdict) {
				t.Helper()
				if diff := cmp.Diff([]string{"etcd", `poststarthook/a\x1bb`}, v.FailingChecks); diff != "" {
					t.Error(diff)
				}
			},
		},
		"very many failing checks": {
			edit: func(a *api) {
				a.on("/readyz", always(500, strings.Repeat("[-]"+strings.Repeat("é", 500)+" failed\n", 500)))
			},
			state: cluster.Degraded, reason: cluster.NotReady, blame: cluster.BlameControlPlane,
			checks: []string{"READY failed NOT_READY", "VERSION passed", "AUTHN passed", "AUTHZ passed"},
			look: func(t *testing.T, v *cluster.Verdict) {
				t.Helper()
				if len(v.FailingChecks) != 32 || len(v.FailingChecks[0]) > 64 {
					t.Errorf("%d checks", len(v.FailingChecks))
				}
			},
		},
		"anonymous": {
			edit:  func(a *api) { a.on(reviews, always(201, `{"status":{"userInfo":{"username":"system:anonymous"}}}`)) },
			state: cluster.Unauthorized, reason: cluster.Unauthenticated, blame: cluster.BlameCredential, says: "system:anonymous",
			checks: []string{"READY passed", "VERSION passed", "AUTHN failed UNAUTHENTICATED", "AUTHZ skipped"},
		},
		"rejected": {
			edit:  func(a *api) { a.guarded(func(*http.Request) bool { return false }) },
			state: cluster.Unauthorized, reason: cluster.Unauthenticated, blame: cluster.BlameCredential,
			checks: []string{"READY skipped", "VERSION skipped", "AUTHN failed UNAUTHENTICATED", "AUTHZ skipped"},
		},
		"rejected where it matters": {
			edit:  func(a *api) { a.guarded(func(r *http.Request) bool { return r.Method == http.MethodGet }) },
			state: cluster.Unauthorized, reason: cluster.Unauthenticated, blame: cluster.BlameCredential,
			checks: []string{"READY passed", "VERSION passed", "AUTHN failed UNAUTHENTICATED", "AUTHZ skipped"},
		},
		"no right": {
			edit:  func(a *api) { a.on(accessReviews, always(201, `{"status":{"allowed":false}}`)) },
			state: cluster.Unauthorized, reason: cluster.Forbidden, blame: cluster.BlameCredential, says: "list pods in all namespaces",
			checks: []string{"READY passed", "VERSION passed", "AUTHN passed", "AUTHZ failed FORBIDDEN"},
		},
		"everything forbidden": {
			edit:  func(a *api) { a.on("*", func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "no") }) },
			state: cluster.Unauthorized, reason: cluster.Forbidden, blame: cluster.BlameCredential,
			checks: []string{"READY failed FORBIDDEN", "VERSION skipped", "AUTHN failed FORBIDDEN", "AUTHZ failed FORBIDDEN"},
		},
		"nothing there": {
			edit:  func(a *api) { a.on("*", http.NotFound) },
			state: cluster.Degraded, reason: cluster.MalformedResponse, blame: cluster.BlameControlPlane, says: "none of /readyz",
			checks: []string{"READY failed MALFORMED_RESPONSE", "VERSION skipped", "AUTHN skipped", "AUTHZ failed MALFORMED_RESPONSE"},
		},
		"a portal": {
			edit:  func(a *api) { a.on("*", always(200, "<html>welcome</html>")) },
			state: cluster.Degraded, reason: cluster.MalformedResponse, blame: cluster.BlameControlPlane, says: "not with ok",
			checks: []string{"READY failed MALFORMED_RESPONSE", "VERSION failed MALFORMED_RESPONSE", "AUTHN failed MALFORMED_RESPONSE", "AUTHZ failed MALFORMED_RESPONSE"},
		},
		"truncated JSON": {
			edit:  func(a *api) { a.on("/version", always(200, `{"gitVersion":"v1`)) },
			state: cluster.Degraded, reason: cluster.MalformedResponse, blame: cluster.BlameControlPlane, says: "/version",
			checks: []string{"READY passed", "VERSION failed MALFORMED_RESPONSE", "AUTHN passed", "AUTHZ passed"},
		},
		"JSON nested a million deep": {
			edit:  func(a *api) { a.on("/version", always(200, strings.Repeat("[", 1_000_000))) },
			state: cluster.Degraded, reason: cluster.MalformedResponse, blame: cluster.BlameControlPlane,
			checks: []string{"READY passed", "VERSION failed MALFORMED_RESPONSE", "AUTHN passed", "AUTHZ passed"},
		},
		"a Status nested a million deep": {
			edit:  func(a *api) { a.on("/version", always(500, `{"message":`+strings.Repeat("[", 1_000_000))) },
			state: cluster.Degraded, reason: cluster.ServerError, blame: cluster.BlameControlPlane,
			checks: []string{"READY passed", "VERSION failed SERVER_ERROR", "AUTHN passed", "AUTHZ passed"},
		},
		"a review without an answer": {
			edit:  func(a *api) { a.on(accessReviews, always(201, `{}`)) },
			state: cluster.Degraded, reason: cluster.MalformedResponse, blame: cluster.BlameControlPlane,
			checks: []string{"READY passed", "VERSION passed", "AUTHN passed", "AUTHZ failed MALFORMED_RESPONSE"},
		},
		"a review without a user": {
			edit:  func(a *api) { a.on(reviews, always(201, `{}`)) },
			state: cluster.Degraded, reason: cluster.MalformedResponse, blame: cluster.BlameControlPlane,
			checks: []string{"READY passed", "VERSION passed", "AUTHN failed MALFORMED_RESPONSE", "AUTHZ passed"},
		},
		"an older server": {
			edit: func(a *api) {
				a.on("/readyz", http.NotFound)
				a.on(reviews, http.NotFound)
				a.on("/version", always(403, ""))
			},
			state: cluster.Healthy, blame: cluster.BlameNone,
			checks: []string{"READY passed", "VERSION skipped", "AUTHN skipped", "AUTHZ passed"},
		},
		"hostile words": {
			edit: func(a *api) {
				a.on("/version", always(200, `{"gitVersion":"v1\u001b[2J\r\n\u202e`+strings.Repeat("x", 1000)+`"}`))
				a.on(reviews, func(w http.ResponseWriter, r *http.Request) {
					answer(w, 201, `{"status":{"userInfo":{"username":"\u0000\ud800`+r.Header.Get("Authorization")+`"}}}`)
				})
			},
			state: cluster.Healthy, blame: cluster.BlameNone,
			checks: []string{"READY passed", "VERSION passed", "AUTHN passed", "AUTHZ passed"},
			look: func(t *testing.T, v *cluster.Verdict) {
				t.Helper()
				if !strings.HasPrefix(v.ServerVersion, `v1\x1b[2J\r\n\u202exx`) || len(v.ServerVersion) > 64 || !strings.Contains(v.Username, "[credential]") {
					t.Errorf("%q, %q", v.ServerVersion, v.Username)
				}
			},
		},
		"a token's end": {
			edit: func(*api) {}, token: token,
			state: cluster.Healthy, blame: cluster.BlameNone,
			checks: []string{"READY passed", "VERSION passed", "AUTHN passed", "AUTHZ passed"},
			look: func(t *testing.T, v *cluster.Verdict) {
				t.Helper()
				if at := expiry(v, cluster.TokenExpiry); !at.Equal(time.Unix(1790000000, 0)) {
					t.Errorf("the token ends %v", at)
				}
			},
		},
		"a clock that is ahead": {
			edit: func(a *api) {
				a.on("/readyz", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Date", time.Now().UTC().Add(time.Hour).Format(http.TimeFormat))
					_, _ = io.WriteString(w, "ok")
				})
			},
			state: cluster.Healthy, blame: cluster.BlameNone,
			checks: []string{"READY passed", "VERSION passed", "AUTHN passed", "AUTHZ passed"},
			look: func(t *testing.T, v *cluster.Verdict) {
				t.Helper()
				if !v.ClockKnown || (v.ClockSkew-time.Hour).Abs() > 2*time.Second {
					t.Errorf("skew %v", v.ClockSkew)
				}
			},
		},
		"no clock": {
			edit: func(a *api) {
				a.on("/readyz", func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Date"] = nil
					_, _ = io.WriteString(w, "ok")
				})
			},
			state: cluster.Healthy, blame: cluster.BlameNone,
			checks: []string{"READY passed", "VERSION passed", "AUTHN passed", "AUTHZ passed"},
			look: func(t *testing.T, v *cluster.Verdict) {
				t.Helper()
				if v.ClockKnown {
					t.Errorf("skew %v of no clock", v.ClockSkew)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			c.edit(a)
			config := a.config()
			if c.token != "" {
				config.BearerToken = c.token
			}
			v, err := newClient(t, config).Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout)
			if err != nil {
				t.Fatal(err)
			}
			if v.State != c.state || v.Reason != c.reason || v.Blame != c.blame || !strings.Contains(v.Message, c.says) {
				t.Errorf("state %d, %s, blame %d: %s", v.State, v.Reason, v.Blame, v.Message)
			}
			if diff := cmp.Diff(slices.Concat(reached, c.checks), outcomes(v)); diff != "" {
				t.Error(diff)
			}
			checkVerdict(t, v)
			if c.look != nil {
				c.look(t, v)
			}
		})
	}
}

func TestAuthorizationIsAskedForWhereTheContextPoints(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on(accessReviews, func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		allowed := err == nil && strings.Contains(string(asked), `"namespace":"team-a","verb":"list","resource":"pods"`)
		answer(w, 201, fmt.Sprintf(`{"status":{"allowed":%t}}`, allowed))
	})
	for namespace, want := range map[string]cluster.State{"team-a": cluster.Healthy, "team-b": cluster.Unauthorized} {
		client, err := cluster.New(cluster.Definition{Name: "c", Namespace: namespace, Config: a.config()}, cluster.Options{UserAgent: "test"})
		must(err)
		v, err := client.Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout)
		must(err)
		if v.State != want || want != cluster.Healthy && !strings.Contains(v.Message, "namespace team-b") {
			t.Errorf("%s: %+v", namespace, v)
		}
		client.Close()
	}
}

func TestACredentialThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.on(reviews, func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "no") })
	config := a.config()
	config.BearerToken = ""
	v, err := newClient(t, config).Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout)
	if err != nil || v.Reason != cluster.Unauthenticated || !strings.Contains(v.Message, "no credential") {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestPlainHTTPIsProbedToo(t *testing.T) {
	t.Parallel()
	config := rawListener(t, newAuthority("x"), says(readyAnswer))
	config.Host = strings.Replace(config.Host, "https", "http", 1)
	config.CAData = nil
	probe(t, newClient(t, config), cluster.Quick)
}
