package cluster_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	clientcmd "k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// guarded makes the server answer 401 unless allow allows.
func (a *api) guarded(allow func(*http.Request) bool) {
	a.on("*", func(w http.ResponseWriter, r *http.Request) {
		if !allow(r) {
			status(w, http.StatusUnauthorized, "Unauthorized")
			return
		}
		healthy(w, r)
	})
}

func bearer(token string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }
}

// everyWay fails the test unless probes and a read all work.
func everyWay(t *testing.T, client *cluster.Client) {
	t.Helper()
	probe(t, client, cluster.Full)
	probe(t, client, cluster.Quick)
	if e := readAll(t.Context(), t, client, pods); e != nil {
		t.Error(e)
	}
}

func TestFixedCredentialsAreSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit  func(*rest.Config)
		allow func(*http.Request) bool
	}{
		"token": {func(*rest.Config) {}, bearer(canary)},
		"basic": {
			func(c *rest.Config) { c.BearerToken, c.Username, c.Password = "", "jane", canary },
			func(r *http.Request) bool {
				user, password, ok := r.BasicAuth()
				return ok && user == "jane" && password == canary
			},
		},
		"impersonation": {
			func(c *rest.Config) {
				c.Impersonate = rest.ImpersonationConfig{UserName: "joe", UID: "7", Groups: []string{"a", "b"}, Extra: map[string][]string{"Reason": {"x"}}}
			},
			func(r *http.Request) bool {
				return bearer(canary)(r) && r.Header.Get("Impersonate-User") == "joe" && r.Header.Get("Impersonate-Uid") == "7" &&
					len(r.Header["Impersonate-Group"]) == 2 && r.Header.Get("Impersonate-Extra-Reason") == "x"
			},
		},
		"none":       {func(c *rest.Config) { c.BearerToken = "" }, func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
		"user agent": {func(*rest.Config) {}, func(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "test (") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.guarded(c.allow)
			config := a.config()
			c.edit(config)
			everyWay(t, newClient(t, config))
		})
	}
}

func TestAnExpiredTokenFileIsReadAgainAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) { must(os.WriteFile(file, []byte(token+"\n"), 0o600)) }
	a := newAPI(t)
	for _, call := range []func(*cluster.Client){
		func(c *cluster.Client) { probe(t, c, cluster.Quick) },
		func(c *cluster.Client) { probe(t, c, cluster.Full) },
		func(c *cluster.Client) {
			if e := readAll(t.Context(), t, c, pods); e != nil {
				t.Error(e)
			}
		},
	} {
		write("first-" + canary)
		a.guarded(bearer("first-" + canary))
		config := a.config()
		config.BearerToken, config.BearerTokenFile = "", file
		client := newClient(t, config)
		call(client)
		write("second-" + canary)
		a.guarded(bearer("second-" + canary))
		call(client)
	}
}

func TestACredentialThatStaysRejectedIsNotReadAllTheTime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	must(os.WriteFile(file, []byte(canary), 0o600))
	a := newAPI(t)
	a.guarded(func(*http.Request) bool { return false })
	config := a.config()
	config.BearerToken, config.BearerTokenFile = "", file
	client := newClient(t, config)
	for range 5 {
		v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
		if err != nil || v.Reason != cluster.Unauthenticated {
			t.Errorf("%+v, %v", v, err)
		}
	}
	if n := len(a.seen()); n > 7 {
		t.Errorf("%d requests for 5 probes", n)
	}
}

func TestClientCertificatesAreSentAndRead(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(a *api) { a.TLS.ClientAuth = tls.RequestClientCert })
	a.guarded(func(r *http.Request) bool {
		return len(r.TLS.PeerCertificates) == 1 && r.TLS.PeerCertificates[0].Subject.CommonName == "second"
	})
	issue := func(name string) (certificate, key []byte, end time.Time) {
		issued := a.ca.issue(func(c *x509.Certificate) { c.Subject.CommonName = name })
		certificate, key = pair(issued)
		return certificate, key, issued.Leaf.NotAfter
	}
	t.Run("inline", func(t *testing.T) {
		t.Parallel()
		config := a.config()
		var end time.Time
		config.CertData, config.KeyData, end = issue("second")
		config.BearerToken = ""
		client := newClient(t, config)
		everyWay(t, client)
		v := probe(t, client, cluster.Full)
		if at := expiry(v, cluster.ClientCertificateExpiry); !at.Equal(end) {
			t.Errorf("the client certificate ends at %v, want %v", at, end)
		}
	})
	t.Run("files, renewed", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		config := a.config()
		config.BearerToken = ""
		config.CertFile, config.KeyFile = filepath.Join(folder, "crt"), filepath.Join(folder, "key")
		write := func(name string) {
			certificate, key, _ := issue(name)
			must(os.WriteFile(config.CertFile, certificate, 0o600))
			must(os.WriteFile(config.KeyFile, key, 0o600))
		}
		write("first")
		client := newClient(t, config)
		v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
		if err != nil || v.Reason != cluster.Unauthenticated {
			t.Fatalf("%+v, %v", v, err)
		}
		write("second")
		eventually(t, "the new certificate", func() bool { // at most one reading a second
			v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
			return err == nil && v.State == cluster.Healthy
		})
		if e := readAll(t.Context(), t, client, pods); e != nil {
			t.Error(e)
		}
	})
}

// plugin returns a configuration with a credential plugin that is a shell script.
func plugin(t *testing.T, a *api, script string) *rest.Config {
	t.Helper()
	config := a.config()
	config.BearerToken = ""
	config.ExecProvider = &clientcmd.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: "/bin/sh", Args: []string{"-c", script, t.Name()},
		InteractiveMode: clientcmd.NeverExecInteractiveMode,
	}
	return config
}

func printing(token string) string {
	return `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"` + token + `"}}'`
}

func TestACredentialPluginIsRunAgainWhenItsCredentialIsRejected(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	must(os.WriteFile(file, []byte("first"), 0o600))
	a := newAPI(t)
	a.guarded(bearer("first"))
	client := newClient(t, plugin(t, a, strings.Replace(printing("TOKEN"), "TOKEN", `'$(cat `+file+`)'`, 1)))
	if !client.AwaitsPlugin() || newClient(t, a.config()).AwaitsPlugin() {
		t.Error("it is not told of whom a plugin is awaited")
	}
	everyWay(t, client)
	if client.AwaitsPlugin() {
		t.Error("the plugin is awaited when it has given a credential")
	}
	must(os.WriteFile(file, []byte("second"), 0o600))
	a.guarded(bearer("second"))
	everyWay(t, client)
}

func TestAFailingCredentialPluginIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, says string }{
		"fails":             {"exit 7", "exit code 7"},
		"prints no kind":    {`echo '{"status":{"token":"` + canary + `"}}'`, "returned version"},
		"prints a token":    {`echo ` + canary, "no valid ExecCredential"},
		"prints no token":   {printing(""), "didn't return a token"},
		"prints a bad date": {`echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"expirationTimestamp":"` + canary + `"}}'`, "no valid ExecCredential"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			client := newClient(t, plugin(t, a, c.script))
			want := hazard{timeout: 20 * time.Second, phase: cluster.PhaseCredential}
			for _, call := range []func(*testing.T, hazard, *cluster.Client) (finding, *cluster.Error){probeWay(cluster.Quick), probeWay(cluster.Full), readWay} {
				got, e := call(t, want, client)
				if got != (finding{cluster.Unauthorized, cluster.CredentialPluginFailed, cluster.PhaseCredential, cluster.BlameCredential, 0}) {
					t.Errorf("%+v", got)
				}
				if !strings.Contains(e.Message, c.says) {
					t.Errorf("%q does not say %q", e.Message, c.says)
				}
				checkSafe(t, e.Message)
			}
			if n := a.conns.Load(); n != 0 {
				t.Errorf("%d connections without a credential", n)
			}
		})
	}
}

func TestAHangingCredentialPluginHoldsNobody(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	started, end := filepath.Join(folder, "started"), filepath.Join(folder, "end")
	a := newAPI(t)
	a.guarded(bearer(canary))
	client := newClient(t, plugin(t, a, `echo >> `+started+`; while ! test -e `+end+`; do sleep 0.05; done; `+printing(canary)))
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			start := time.Now()
			got, _ := probeWay(cluster.Full)(t, hazard{timeout: shortly / 2, phase: cluster.PhaseCredential}, client)
			if got.Reason != cluster.CredentialPluginFailed {
				t.Errorf("%+v", got)
			}
			got, _ = readWay(t, hazard{timeout: shortly / 2}, client)
			if got.Reason != cluster.CredentialPluginFailed && got.Reason != cluster.QueueTimeout {
				t.Errorf("%+v", got)
			}
			if took := time.Since(start); took > 10*shortly {
				t.Errorf("took %v", took)
			}
		})
	}
	probe(t, newClient(t, plugin(t, a, printing(canary)+" # another")), cluster.Full)
	group.Wait()
	must(os.WriteFile(end, nil, 0o600))
	eventually(t, "the credential", func() bool {
		v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
		return err == nil && v.State == cluster.Healthy
	})
	runs, err := os.ReadFile(started)
	if err != nil || len(runs) != 1 {
		t.Errorf("%d plugins ran, %v", len(runs), err)
	}
}

func TestUnusableDefinitionsAreRefusedWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*rest.Config){
		"no address":           func(c *rest.Config) { c.Host = "" },
		"no URL":               func(c *rest.Config) { c.Host = "https://user:" + canary + "@bad host:1:2" },
		"user in the address":  func(c *rest.Config) { c.Host = "https://user:" + canary + "@host" },
		"another scheme":       func(c *rest.Config) { c.Host = "ftp://host" },
		"line break":           func(c *rest.Config) { c.BearerToken = canary + "\n" },
		"bad authority":        func(c *rest.Config) { c.CAData = []byte(canary) },
		"bad certificate":      func(c *rest.Config) { c.CertData, c.KeyData = []byte(canary), []byte(canary) },
		"two credentials":      func(c *rest.Config) { c.Username, c.Password = "u", canary },
		"token file not there": func(c *rest.Config) { c.BearerToken, c.BearerTokenFile = "", "/no/such/file" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &rest.Config{Host: "https://127.0.0.1:1", BearerToken: canary}
			edit(config)
			d := cluster.Definition{Name: "c", Config: config}
			client, err := cluster.New(d, cluster.Options{UserAgent: "x"})
			if err == nil {
				client.Close()
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(d.Server(), canary) {
				t.Errorf("%v, %s", err, d.Server())
			}
		})
	}
	if _, err := cluster.New(cluster.Definition{Name: "v", Virtual: true}, cluster.Options{}); err == nil {
		t.Error("a client of a virtual cluster")
	}
}

func TestNothingPrintsACredential(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	certificate, key := pair(a.ca.issue(func(*x509.Certificate) {}))
	file := filepath.Join(t.TempDir(), "token")
	must(os.WriteFile(file, []byte(canary), 0o600))
	for name, edit := range map[string]func(*rest.Config){
		"token":      func(*rest.Config) {},
		"token file": func(c *rest.Config) { c.BearerToken, c.BearerTokenFile = "", file },
		"basic":      func(c *rest.Config) { c.BearerToken, c.Username, c.Password = "", "jane", canary },
		"key":        func(c *rest.Config) { c.BearerToken, c.CertData, c.KeyData = "", certificate, key },
		"plugin": func(c *rest.Config) {
			c.BearerToken = ""
			c.ExecProvider = plugin(t, a, printing(canary)).ExecProvider
			c.ExecProvider.Env = []clientcmd.ExecEnvVar{{Name: "SECRET", Value: canary}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			config := a.config()
			edit(config)
			d := cluster.Definition{Name: "c1", Config: config}
			client := newClient(t, config)
			healthyVerdict := probe(t, client, cluster.Full)
			a.on("*", func(w http.ResponseWriter, r *http.Request) { status(w, 403, "no: "+r.Header.Get("Authorization")) })
			verdict, err := client.Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout)
			must(err)
			failure := readAll(t.Context(), t, client, pods)
			type held struct {
				D cluster.Definition
				C *cluster.Client
			}
			secrets := []string{canary, base64.StdEncoding.EncodeToString([]byte("jane:" + canary)), string(key), string(key[40:80])}
			for _, shown := range []any{d, &d, client, failure, verdict, *verdict, healthyVerdict, held{d, client}, &held{d, client}, errors.Unwrap(failure)} {
				var b strings.Builder
				fmt.Fprintf(&b, "%v %+v %#v %s %q\n", shown, shown, shown, shown, shown)
				inJSON, _ := json.Marshal(shown)
				b.Write(inJSON)
				slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "it", shown)
				slog.New(slog.NewTextHandler(&b, nil)).Info("x", "it", shown)
				for _, secret := range secrets {
					if strings.Contains(b.String(), secret) {
						t.Errorf("%T prints %q:\n%s", shown, secret, b.String())
					}
				}
			}
		})
	}
}

func expiry(v *cluster.Verdict, kind cluster.ExpiryKind) time.Time {
	for _, e := range v.Expiries {
		if e.Kind == kind {
			return e.At
		}
	}
	return time.Time{}
}

func TestPluginsOfManyClustersRunBesideEachOther(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	a := newAPI(t)
	a.guarded(func(r *http.Request) bool {
		seen.Add(1)
		return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-")
	})
	var group sync.WaitGroup
	for i := range 4 {
		client := newClient(t, plugin(t, a, printing(fmt.Sprintf("token-%d", i))))
		group.Go(func() { everyWay(t, client) })
	}
	group.Wait()
}
