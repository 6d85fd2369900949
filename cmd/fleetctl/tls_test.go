package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func TestTLSByFlagsAndWhatMendsIt(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	certFile, keyFile := authority.Issue(t, "someone")
	other := clienttest.NewAuthority(t)
	otherCert, otherKey := other.Issue(t, "someone")
	script := fleet{members: testFleet()}.script()
	plain := clienttest.Serve(t, script)
	mutual := clienttest.Serve(t, script, authority.Server(t, "fleet.example", tls.RequireAndVerifyClientCert))
	web, secureWeb := httptest.NewServer(http.NotFoundHandler()), httptest.NewTLSServer(http.NotFoundHandler())
	defer web.Close()
	defer secureWeb.Close()
	server := []string{"--server", mutual, "--ca-file", authority.CAFile, "--server-name", "fleet.example"}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"everything is right":     {append(server, "--tls-cert", certFile, "--tls-key", keyFile), exitDone, ""},
		"no authority":            {[]string{"--server", mutual, "--server-name", "fleet.example"}, exitFailed, "name the authority of its certificate with --ca-file"},
		"another name":            {[]string{"--server", mutual, "--ca-file", authority.CAFile}, exitFailed, "name the host of its certificate with --server-name"},
		"no client certificate":   {server, exitUnauthenticated, "it wants a client certificate: --tls-cert and --tls-key"},
		"an unknown certificate":  {append(server, "--tls-cert", otherCert, "--tls-key", otherKey), exitUnauthenticated, "it does not accept the client certificate"},
		"plaintext by default":    {[]string{"--server", plain}, exitDone, ""},
		"plaintext by flag":       {[]string{"--server", plain, "--plaintext"}, exitDone, ""},
		"TLS by flag":             {[]string{"--server", plain, "--plaintext=false"}, exitFailed, "it does not speak TLS: use --plaintext"},
		"plaintext to TLS server": {[]string{"--server", mutual}, exitFailed, "it was spoken to without TLS and may want it: use --ca-file or --plaintext=false"},
		"an HTTP server":          {[]string{"--server", web.Listener.Addr().String()}, exitFailed, "it answers in something else than gRPC; name the port of its gRPC, 7443 by default, with --server"},
		"an HTTPS server":         {[]string{"--server", secureWeb.Listener.Addr().String()}, exitFailed, "use --ca-file or --plaintext=false"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := fleetctl(t.Context(), t, append([]string{"clusters", "prod-1"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.says) || strings.Count(stderr, "\n") > 1 || (stdout == "") != (code != exitDone) {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

func TestEveryVerbSaysThatTheServerWantsTLS(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	secure := clienttest.Serve(t, fleet{members: testFleet()}.script(), authority.Server(t, "fleet.example", tls.NoClientCert))
	for _, verb := range []string{
		"clusters", "probe", "probe -o jsonl", "probe --watch", "get pods", "get pods -o json", "watch", "wait --for=state=HEALTHY", "history", "overview", "api-resources", "version",
	} {
		_, stderr, code := fleetctl(t.Context(), t, append(strings.Fields(verb), "--server", secure)...)
		if code != exitFailed || !strings.Contains(stderr, "it was spoken to without TLS and may want it: use --ca-file or --plaintext=false") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", verb, code, stderr)
		}
	}
}
