package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestCommandLineThatMakesNoSenseIsAUsageErrorThatNamesTheFlag(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--limit", "0"}, "--limit must be from 1 to 1024, not 0"},
		{[]string{"--limit", "-3"}, "--limit must be from 1 to 1024, not -3"},
		{[]string{"--limit", "1025"}, "--limit must be from 1 to 1024, not 1025"},
		{[]string{"--limit", "many"}, "--limit"},
		{[]string{"--no-such-flag"}, "unknown flag: --no-such-flag"},
		{[]string{"serve"}, `unknown argument "serve"`},
		{[]string{"--kubeconfig", ""}, "--kubeconfig names no file"},
		{[]string{"--kubeconfig", " : "}, "--kubeconfig names no file"},
		{[]string{"--tls-cert", "a.crt"}, "--tls-cert and --tls-key go together"},
		{[]string{"--tls-key", "a.key"}, "--tls-cert and --tls-key go together"},
		{[]string{"--client-ca", "ca.crt"}, "--client-ca needs --tls-cert and --tls-key"},
		{[]string{"--grpc-address", "0.0.0.0:7443"}, "plaintext is served on loopback only"},
		{[]string{"--grpc-address", ":7443"}, "plaintext is served on loopback only"},
		{[]string{"--grpc-address", "[::]:7443"}, "plaintext is served on loopback only"},
		{[]string{"--grpc-address", "fleet.example.com:7443"}, "plaintext is served on loopback only"},
		{[]string{"--http-address", "192.0.2.1:7444"}, `--http-address "192.0.2.1:7444": plaintext is served on loopback only`},
		{[]string{"--grpc-address", "127.0.0.1"}, "must be HOST:PORT"},
		{[]string{"--grpc-address", ""}, "must be HOST:PORT"},
		{[]string{"--grpc-address", "127.0.0.1:65536"}, "the port must be from 0 to 65535"},
		{[]string{"--http-address", "127.0.0.1:-1"}, "the port must be from 0 to 65535"},
		{[]string{"--log-format", "xml"}, `--log-format must be text or json, not "xml"`},
		{[]string{"--log-level", "loud"}, "--log-level"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			told, text := isUsage(t, c.args...)
			if !told || !strings.Contains(text, c.want) || strings.Contains(text, "\n") {
				t.Errorf("usage error %t, %q; want one line with %q", told, text, c.want)
			}
		})
	}
}

func TestWhatCannotBeServedHereIsNoUsageError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"address in use", []string{"--grpc-address", taken.Addr().String()}, "--grpc-address " + taken.Addr().String() + ": the address is in use"},
		{"HTTP address in use", []string{"--grpc-address", "127.0.0.1:0", "--http-address", taken.Addr().String()}, "--http-address " + taken.Addr().String() + ": the address is in use"},
		{"no certificate", []string{"--tls-cert", missing, "--tls-key", missing}, "--tls-cert " + missing + ": no such file or directory"},
		{"no kubeconfig", []string{"--grpc-address", "127.0.0.1:0", "--http-address", "", "--kubeconfig", missing}, "no usable cluster in " + missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			if told, text := isUsage(t, c.args...); told || !strings.Contains(text, c.want) {
				t.Errorf("usage error %t, %q; want a failure with %q", told, text, c.want)
			}
		})
	}
}

func TestLoopbackNeedsNoTLSAndOtherAddressesServeWithIt(t *testing.T) {
	for _, args := range [][]string{
		{"--grpc-address", "127.0.0.1:0"},
		{"--grpc-address", "127.9.8.7:0"},
		{"--grpc-address", "[::1]:0"},
		{"--grpc-address", "localhost:0"},
		{"--http-address", ""},
		{"--grpc-address", ":7443", "--http-address", ":7444", "--tls-cert", "a.crt", "--tls-key", "a.key", "--client-ca", "ca.crt"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			valid := false
			command := newCommand(func(*cobra.Command, config) error { valid = true; return nil })
			command.SetArgs(args)
			if err := command.ExecuteContext(t.Context()); err != nil || !valid {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestKubeconfigDefaultsToWhatKubectlReads(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("KUBECONFIG", "")
	if got := defaultKubeconfig(); got != "/home/somebody/.kube/config" {
		t.Errorf("got %s", got)
	}
	t.Setenv("KUBECONFIG", "/one:/two")
	if got := defaultKubeconfig(); got != "/one:/two" {
		t.Errorf("got %s", got)
	}
}
