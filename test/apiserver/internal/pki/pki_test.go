package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/pki"
)

func TestServingCertificateIsValidForItsHostsOnly(t *testing.T) {
	ca := newAuthority(t)
	pair, err := ca.Serving("127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	certificate := parse(t, pair)
	for host, valid := range map[string]bool{"127.0.0.1": true, "localhost": true, "127.0.0.2": false, "example.com": false} {
		_, err := certificate.Verify(x509.VerifyOptions{DNSName: host, Roots: pool(ca)})
		if (err == nil) != valid {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestClientCertificateCarriesUserAndGroups(t *testing.T) {
	ca := newAuthority(t)
	pair, err := ca.Client("jane", "team", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	certificate := parse(t, pair)
	forClients := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: pool(ca), KeyUsages: forClients}); err != nil {
		t.Error(err)
	}
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: pool(ca)}); err == nil {
		t.Error("it may be used for serving")
	}
	if got := certificate.Subject.CommonName; got != "jane" {
		t.Errorf("user %s", got)
	}
	if diff := cmp.Diff([]string{"team", "system:masters"}, certificate.Subject.Organization); diff != "" {
		t.Error(diff)
	}
}

func TestAuthoritiesOfTheSameNameDoNotVouchForEachOther(t *testing.T) {
	pair, err := newAuthority(t).Serving("localhost")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(t, pair).Verify(x509.VerifyOptions{Roots: pool(newAuthority(t))}); err == nil {
		t.Error("verified by another authority")
	}
}

func newAuthority(t *testing.T) *pki.Authority {
	t.Helper()
	ca, err := pki.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func pool(ca *pki.Authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.Pair().Certificate)
	return pool
}

func parse(t *testing.T, pair pki.Pair) *x509.Certificate {
	t.Helper()
	parsed, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Leaf
}
