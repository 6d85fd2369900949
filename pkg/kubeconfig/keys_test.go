package kubeconfig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

// pair is a self-signed certificate and its key in PEM. It serves as an authority and as a client.
type pair struct {
	cert, key []byte
	signer    crypto.Signer
}

func newECDSA(t testing.TB) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	return newPair(t, key, "EC PRIVATE KEY", der)
}

func newRSA(t testing.TB) pair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return newPair(t, key, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func newEd25519(t testing.TB) pair {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return newPair(t, key, "PRIVATE KEY", inPKCS8(t, key))
}

func inPKCS8(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return der
}

func newPair(t testing.TB, key crypto.Signer, kind string, der []byte) pair {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return pair{cert: inPEM("CERTIFICATE", cert), key: inPEM(kind, der), signer: key}
}

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func b64[T string | []byte](data T) string { return base64.StdEncoding.EncodeToString([]byte(data)) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write puts a file into a folder of the test's own and returns its path.
func write[T string | []byte](t testing.TB, dir, name string, content T) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// oneContext is a kubeconfig with the context "c" of cluster "k" and user "u", each given as a YAML flow mapping.
func oneContext(context, cluster, user string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\n"+
		"contexts:\n- name: c\n  context: %s\nclusters:\n- name: k\n  cluster: %s\nusers:\n- name: u\n  user: %s\n",
		context, cluster, user)
}

// The parts of a context that is well.
const (
	goodContext = "{cluster: k, user: u}"
	goodCluster = "{server: https://api.example:6443}"
	goodUser    = "{token: t0ken}"
)

// load loads kubeconfigs that must be without problems.
func load(t testing.TB, opts kubeconfig.Options, files ...string) []cluster.Definition {
	t.Helper()
	definitions, problems := kubeconfig.Load(files, opts)
	if len(problems) > 0 {
		t.Fatalf("problems:\n%s", lines(problems))
	}
	return definitions
}

func lines(problems []*kubeconfig.Problem) string {
	texts := make([]string, 0, len(problems))
	for _, p := range problems {
		texts = append(texts, p.Error())
	}
	return strings.Join(texts, "\n")
}

func namesOf(definitions []cluster.Definition) []string {
	names := make([]string, 0, len(definitions))
	for _, d := range definitions {
		names = append(names, d.Name)
	}
	return names
}

// yamlText returns a text as YAML reads it in double quotes.
func yamlText(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\U%08x`, r)
	}
	return `"` + b.String() + `"`
}
