package main

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// contexts writes a kubeconfig with two contexts of one cluster.
func contexts(t *testing.T, server string, authority []byte) string {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {server: '%s', tls-server-name: example.com, "+
		"certificate-authority-data: %s}\ncontexts:\n- name: a\n  context: {cluster: c}\n- name: b\n  context: {cluster: c}\n",
		server, base64.StdEncoding.EncodeToString(authority))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestHandshakesAreOneForEachContextAndVerified(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	h := &handshaker{job: job{Kubeconfig: contexts(t, server.URL, authority), Limit: 2}}
	operations, err := h.Round(t.Context())
	if err != nil || operations != 2 || len(h.conns) != 2 {
		t.Fatalf("%d handshakes, %d connections, %v; want 2", operations, len(h.conns), err)
	}
	for _, conn := range h.conns {
		if state := conn.ConnectionState(); len(state.VerifiedChains) == 0 || state.ServerName != "example.com" {
			t.Errorf("a connection to %q is not verified", state.ServerName)
		}
		_ = conn.Close() // it has served its purpose
	}
	h = &handshaker{job: job{Kubeconfig: contexts(t, server.URL, []byte("no certificate")), Limit: 2}}
	if _, err := h.Round(t.Context()); err == nil {
		t.Error("no authority, and no error")
	}
}

func TestEndpointsOfOneAuthorityShareItsPool(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	definitions, err := simulated.Definitions(contexts(t, server.URL, authority))
	if err != nil {
		t.Fatal(err)
	}
	endpoints, err := endpointsOf(definitions)
	if err != nil || len(endpoints) != 2 || endpoints[0].config.RootCAs != endpoints[1].config.RootCAs {
		t.Errorf("%+v, %v: the pools differ", endpoints, err)
	}
	definitions[0].Config.CAData = nil
	if _, err := endpointsOf(definitions); err == nil || !strings.Contains(err.Error(), "a has no certificate authority") {
		t.Errorf("a cluster without an authority: %v", err)
	}
}

func TestTellerTellsEveryWatcherOfEachChange(t *testing.T) {
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &teller{job: job{Aggregator: address}}
	if err := w.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	type end struct {
		changes int
		err     error
	}
	ended := make(chan end, 1)
	go func() {
		changes, err := w.Round(ctx)
		ended <- end{changes, err}
	}()
	const watchers = 6
	var c *crowd
	if err := poll(ctx, settleTime, func() (bool, error) {
		var err error
		c, err = watches(ctx, address, 2, watchers)
		return err == nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	c.read(watchers)
	told := 0
	if err := poll(ctx, settleTime, func() (bool, error) {
		told += len(c.reset())
		return told >= 3*watchers, nil
	}); err != nil {
		t.Fatalf("%d deliveries: %v", told, err)
	}
	c.leave()
	cancel()
	if e := <-ended; e.err != nil || e.changes*watchers < told {
		t.Errorf("%d changes made %d deliveries to %d watchers; %v", e.changes, told, watchers, e.err)
	}
}
