package test_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// trusting returns a transport to a server, which keeps no connection open.
func trusting(t *testing.T, server *realkube.Server) *http.Transport {
	t.Helper()
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: authorities(t, server.CAFile)}}
}

// authorities reads a file of certificate authorities.
func authorities(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("%s has no certificate", file)
	}
	return pool
}
