package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// dial returns a client that is closed when the test ends.
func dial(t *testing.T, address string, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.Dial(address, options...)
	if err != nil {
		t.Fatalf("dial %s: %v", address, err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func oneCluster(context.Context, *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
	return &fleetv1.GetClusterResponse{Cluster: &fleetv1.Cluster{Name: "c1"}}, nil
}

func TestDialCompletesTheAddress(t *testing.T) {
	for target, want := range map[string]string{
		"127.0.0.1:9000":   "127.0.0.1:9000",
		"localhost":        "localhost:7443",
		"fleet.example":    "fleet.example:7443",
		"fleet.example:80": "fleet.example:80",
		"::1":              "[::1]:7443",
		"[::1]":            "[::1]:7443",
		"[::1]:9000":       "[::1]:9000",
	} {
		if got := dial(t, target).Address(); got != want {
			t.Errorf("Dial(%q) is a client of %s, want %s", target, got, want)
		}
	}
}

func TestDialRefuses(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	certFile, keyFile := authority.Issue(t, "someone")
	for name, test := range map[string]struct {
		target  string
		options []client.Option
		says    string
	}{
		"a scheme":                      {target: "https://fleet.example", says: "without scheme"},
		"nothing":                       {target: "", says: "lacks a host"},
		"no host":                       {target: ":7443", says: "lacks a host"},
		"a port without number":         {target: "fleet.example:http", says: "no valid port"},
		"port 0":                        {target: "127.0.0.1:0", says: "no valid port"},
		"two ports":                     {target: "fleet.example:1:2", says: "write HOST:PORT"},
		"plaintext to another machine":  {target: "192.0.2.1:7443", options: []client.Option{client.WithPlaintext()}, says: "only a loopback address"},
		"plaintext to a name":           {target: "fleet.example", options: []client.Option{client.WithPlaintext()}, says: "only a loopback address"},
		"plaintext and TLS":             {target: "127.0.0.1", options: []client.Option{client.WithPlaintext(), client.WithTLS(client.TLS{})}, says: "exclude each other"},
		"no time":                       {target: "127.0.0.1", options: []client.Option{client.WithTimeout(0)}, says: "must be positive"},
		"a missing authority":           {target: "127.0.0.1", options: []client.Option{client.WithTLS(client.TLS{CAFile: "missing.pem"})}, says: "missing.pem"},
		"an authority that is a key":    {target: "127.0.0.1", options: []client.Option{client.WithTLS(client.TLS{CAFile: keyFile})}, says: "holds no certificate"},
		"a certificate without its key": {target: "127.0.0.1", options: []client.Option{client.WithTLS(client.TLS{CertFile: certFile})}, says: "both its file and its key's file"},
		"a key that is a certificate":   {target: "127.0.0.1", options: []client.Option{client.WithTLS(client.TLS{CertFile: certFile, KeyFile: certFile})}, says: "load the client certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := client.Dial(test.target, test.options...)
			if err == nil {
				t.Fatalf("dialed %s", c.Address())
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %q, want it to say %q", err, test.says)
			}
		})
	}
}

func TestMutualTLS(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	certFile, keyFile := authority.Issue(t, "someone")
	address := clienttest.Serve(t, clienttest.Script{GetCluster: oneCluster},
		authority.Server(t, "fleet.example", tls.RequireAndVerifyClientCert))
	c := dial(t, address, client.WithTLS(client.TLS{
		CAFile: authority.CAFile, CertFile: certFile, KeyFile: keyFile, ServerName: "fleet.example",
	}))
	if _, err := c.GetCluster(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
}

func TestAReplacedClientCertificateIsUsedByTheNextConnection(t *testing.T) {
	old, renewed := clienttest.NewAuthority(t), clienttest.NewAuthority(t)
	files := client.TLS{CAFile: renewed.CAFile, ServerName: "fleet.example", CertFile: filepath.Join(t.TempDir(), "c.pem")}
	files.KeyFile = files.CertFile + ".key"
	install := func(a *clienttest.Authority) {
		certFile, keyFile := a.Issue(t, "someone")
		if err := errors.Join(os.Rename(certFile, files.CertFile), os.Rename(keyFile, files.KeyFile)); err != nil {
			t.Fatal(err)
		}
	}
	address := clienttest.Serve(t, clienttest.Script{GetCluster: oneCluster},
		renewed.Server(t, "fleet.example", tls.RequireAndVerifyClientCert))
	install(old)
	c := dial(t, address, client.WithTLS(files))
	if _, err := c.GetCluster(t.Context(), "c1"); err == nil {
		t.Fatal("a certificate of another authority is accepted")
	}
	install(renewed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for { // The connection is tried again only after a while.
		_, err := c.GetCluster(ctx, "c1")
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestAServerThatCannotBeReachedIsAConnectErrorWithItsCause(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	script := clienttest.Script{GetCluster: oneCluster}
	plain := clienttest.Serve(t, script)
	secure := clienttest.Serve(t, script, authority.Server(t, "fleet.example", tls.NoClientCert))
	mutual := clienttest.Serve(t, script, authority.Server(t, "fleet.example", tls.RequireAndVerifyClientCert))
	nobody := closedPort(t)
	as := func(target any) func(error) bool { return func(err error) bool { return errors.As(err, target) } }
	for name, test := range map[string]struct {
		address string
		options []client.Option
		cause   func(error) bool
	}{
		"nobody listens":        {nobody, nil, func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }},
		"unknown authority":     {secure, []client.Option{client.WithTLS(client.TLS{ServerName: "fleet.example"})}, as(new(x509.UnknownAuthorityError))},
		"wrong name":            {secure, []client.Option{client.WithTLS(client.TLS{CAFile: authority.CAFile})}, as(new(x509.HostnameError))},
		"TLS to plaintext":      {plain, []client.Option{client.WithTLS(client.TLS{})}, as(new(tls.RecordHeaderError))},
		"plaintext to TLS":      {secure, nil, func(err error) bool { return err != nil }},
		"no client certificate": {mutual, []client.Option{client.WithTLS(client.TLS{CAFile: authority.CAFile, ServerName: "fleet.example"})}, func(err error) bool { return strings.Contains(err.Error(), "certificate required") }},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, test.address, test.options...)
			_, err := c.GetCluster(t.Context(), "c1")
			var unreachable *client.ConnectError
			if !errors.As(err, &unreachable) {
				t.Fatalf("the error is %v, want a ConnectError", err)
			}
			if unreachable.Address != test.address || !test.cause(unreachable.Cause) {
				t.Errorf("the error is of %s with the cause %v", unreachable.Address, unreachable.Cause)
			}
			if want := strings.HasPrefix(name, "no client certificate"); unreachable.CertificateRefused() != want {
				t.Errorf("the caller's certificate is refused: %t", !want)
			}
			if got := status.Code(err); got != codes.Unavailable {
				t.Errorf("its code is %s", got)
			}
		})
	}
}

func TestAServerThatWentAwayIsAConnectError(t *testing.T) {
	address, stop, err := clienttest.Start(clienttest.Script{GetCluster: oneCluster})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, address)
	if _, err := c.GetCluster(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	stop()
	var unreachable *client.ConnectError
	if _, err := c.GetCluster(t.Context(), "c1"); !errors.As(err, &unreachable) {
		t.Fatalf("the error is %v, want a ConnectError", err)
	}
}

func TestEachCallCarriesADeadlineAndTheUserAgent(t *testing.T) {
	type seen struct {
		left  time.Duration
		agent []string
	}
	calls := make(chan seen, 1)
	address := clienttest.Serve(t, clienttest.Script{
		GetCluster: func(ctx context.Context, _ *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
			deadline, _ := ctx.Deadline()
			md, _ := metadata.FromIncomingContext(ctx)
			calls <- seen{left: time.Until(deadline), agent: md.Get("user-agent")}
			return &fleetv1.GetClusterResponse{}, nil
		},
	})
	for name, test := range map[string]struct {
		own     time.Duration
		options []client.Option
		want    time.Duration
	}{
		"the default":   {want: client.DefaultTimeout},
		"the client's":  {options: []client.Option{client.WithTimeout(10 * time.Minute)}, want: 10 * time.Minute},
		"the context's": {own: time.Hour, want: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if test.own > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.own)
				defer cancel()
			}
			c := dial(t, address, append(test.options, client.WithUserAgent("mine/1.0"))...)
			if _, err := c.GetCluster(ctx, "c1"); err != nil {
				t.Fatal(err)
			}
			got := <-calls
			if got.left > test.want || got.left < test.want-30*time.Second {
				t.Errorf("the server had %s left, want about %s", got.left, test.want)
			}
			if len(got.agent) != 1 || !strings.HasPrefix(got.agent[0], "mine/1.0 ") {
				t.Errorf("the user agent is %q", got.agent)
			}
		})
	}
}

// closedPort returns an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
