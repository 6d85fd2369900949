package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/controlplane"
)

// program is a call of run that serves.
type program struct {
	servers    []controlplane.Description
	kubeconfig string
	stop       func() error // closes its input and returns what run returned
}

// start calls run in a goroutine and returns when the servers are ready.
func start(t *testing.T, args ...string) program {
	t.Helper()
	stdin, closeStdin := io.Pipe()
	stdout, output := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		err := run(context.Background(), args, stdin, output, &stderr)
		output.Close()
		ended <- err
	}()
	stopped := false
	p := program{stop: func() error {
		stopped = true
		closeStdin.Close()
		return <-ended
	}}
	t.Cleanup(func() {
		if stopped {
			return
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	p.servers, p.kubeconfig = readAnnouncement(t, stdout)
	if p.kubeconfig == "" {
		t.Fatalf("not ready: %v\n%s", p.stop(), stderr.String())
	}
	return p
}

// readAnnouncement reads the program's output until it says that all are ready; without that, there is no kubeconfig.
func readAnnouncement(t *testing.T, stdout io.Reader) (servers []controlplane.Description, kubeconfig string) {
	t.Helper()
	lines := json.NewDecoder(stdout)
	for {
		var line struct {
			controlplane.Description
			Ready      int
			Kubeconfig string
		}
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return servers, ""
		}
		if err != nil {
			t.Fatal(err)
		}
		if line.Ready == 0 {
			servers = append(servers, line.Description)
			continue
		}
		if line.Ready != len(servers) {
			t.Errorf("%d servers are said to be ready, %d were described", line.Ready, len(servers))
		}
		return servers, line.Kubeconfig
	}
}

// ask sends a GET with a token, or with a client certificate if there is no token, and returns the answer.
func ask(t *testing.T, server controlplane.Description, token, path string) (status int, body string) {
	t.Helper()
	trust, err := os.ReadFile(server.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(trust)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token == "" {
		certificate, err := tls.LoadX509KeyPair(server.ClientCertFile, server.ClientKeyFile)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{certificate}
	} else {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}
