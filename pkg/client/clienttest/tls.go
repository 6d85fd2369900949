package clienttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Authority is a certificate authority made for one test.
type Authority struct {
	// CAFile holds the authority's certificate in PEM.
	CAFile string

	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	issued      int64
}

// NewAuthority returns a new certificate authority; its files live as long as the test.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{dir: tb.TempDir()}
	a.key = newKey(tb)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clienttest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		tb.Fatalf("create the authority: %v", err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		tb.Fatalf("parse the authority: %v", err)
	}
	a.CAFile = filepath.Join(a.dir, "ca.pem")
	write(tb, a.CAFile, "CERTIFICATE", der)
	return a
}

// Issue signs a certificate made out to a DNS name, for servers and clients, and returns its file and its key's.
func (a *Authority) Issue(tb testing.TB, name string) (certFile, keyFile string) {
	tb.Helper()
	a.issued++
	key := newKey(tb)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1 + a.issued), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		tb.Fatalf("sign the certificate: %v", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatalf("encode the key: %v", err)
	}
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	write(tb, certFile, "CERTIFICATE", der)
	write(tb, keyFile, "PRIVATE KEY", keyDER)
	return certFile, keyFile
}

// Server makes a server speak TLS with a certificate made out to name; clients decides about the callers' certificates.
func (a *Authority) Server(tb testing.TB, name string, clients tls.ClientAuthType) grpc.ServerOption {
	tb.Helper()
	pair, err := tls.LoadX509KeyPair(a.Issue(tb, name))
	if err != nil {
		tb.Fatalf("load the server's certificate: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: clients,
	}))
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("make a key: %v", err)
	}
	return key
}

func write(tb testing.TB, file, kind string, der []byte) {
	tb.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		tb.Fatalf("write %s: %v", file, err)
	}
}
