package kubeconfig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
)

// evidence reads and checks the certificates, keys and tokens of one load, each once however many entries share it.
type evidence struct {
	readFile    readFunc
	files       map[string]fileContent
	authorities map[string]authority // by their PEM text
}

type fileContent struct {
	data []byte
	err  error
}

type authority struct {
	data []byte
	ok   bool
}

func newEvidence(read readFunc) *evidence {
	return &evidence{readFile: read, files: map[string]fileContent{}, authorities: map[string]authority{}}
}

// path returns a path of the entry as an absolute one, empty if it is.
func (e *entry) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(e.base, name)
}

// read reads the file that a field of an entry names, and returns its absolute path as well.
func (v *evidence) read(e *entry, field, name string) (path string, data []byte, problem *Problem) {
	if isInline(name) {
		return "", nil, e.bad("name a file there, or use the field for inline data", "%s holds data, not a path", field)
	}
	path = e.path(name)
	content, seen := v.files[path]
	if !seen {
		content.data, content.err = v.readFile(path)
		v.files[path] = content
	}
	if content.err != nil {
		return "", nil, e.bad("correct the path or the file", "%s %s %s", field, quoted(path), unreadable(content.err))
	}
	return path, content.data, nil
}

// isInline tells a certificate, key or token that stands where a path should: it is neither opened nor shown.
func isInline(path string) bool {
	const pemInBase64, jwt, maxFileName = "LS0tLS1CRUdJTi", "eyJ", 255
	return strings.Contains(path, "-----BEGIN") || strings.Contains(path, "\n") ||
		strings.HasPrefix(path, pemInBase64) || strings.HasPrefix(path, jwt) && strings.Count(path, ".") >= 2 ||
		len(filepath.Base(path)) > maxFileName
}

// authority tells whether a PEM text holds a certificate. Equal texts come back as the same bytes, so that a fleet that
// shares its authority keeps it once.
func (v *evidence) authority(data []byte) ([]byte, bool) {
	a, seen := v.authorities[string(data)]
	if !seen {
		a = authority{data: data, ok: firstCertificate(data) != nil}
		v.authorities[string(data)] = a
	}
	return a.data, a.ok
}

// firstCertificate returns the first certificate of a PEM text that can be read, nil if there is none.
func firstCertificate(data []byte) *x509.Certificate {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			return c
		}
	}
	return nil
}

// checkPair says what is wrong with a client certificate and its key, nothing if they belong together.
func checkPair(certPEM, keyPEM []byte) string {
	leaf := firstCertificate(certPEM)
	if leaf == nil {
		return "its client certificate cannot be read"
	}
	key := firstKey(keyPEM)
	switch {
	case key == nil:
		return "its client key cannot be read"
	case isEncrypted(key):
		return "its client key is encrypted, and there is nobody to ask for the password"
	}
	match, ok := keyMatches(leaf, key.Bytes)
	switch {
	case !ok:
		return "its client key cannot be read"
	case !match:
		return "its client key does not belong to its client certificate"
	}
	return ""
}

func firstKey(data []byte) *pem.Block {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block
		}
	}
	return nil
}

func isEncrypted(key *pem.Block) bool {
	return key.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(key.Headers["Proc-Type"], "ENCRYPTED")
}

// keyMatches tells whether a private key belongs to a certificate, and whether it can be read at all.
//
// Most keys hold their public part too, and comparing that costs a tenth and less of parsing the key, which is checked
// arithmetically then. Whoever builds a client from it does that anyway.
func keyMatches(leaf *x509.Certificate, der []byte) (match, ok bool) {
	switch public := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := modulusOf(der); n != nil {
			return n.Cmp(public.N) == 0, true
		}
	case *ecdsa.PublicKey:
		if point, err := public.Bytes(); err == nil && bytes.Equal(point, pointOf(der)) {
			return true, true
		}
	}
	key := parseKey(der)
	if key == nil {
		return false, false
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(leaf.PublicKey), true
}

// pointOf returns the public part of an elliptic-curve key in the form of SEC 1, nil if it has none or is none.
func pointOf(der []byte) []byte {
	var key struct {
		Version int
		Private []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		Public  asn1.BitString        `asn1:"optional,explicit,tag:1"`
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil || len(key.Public.Bytes) == 0 {
		return nil
	}
	return key.Public.Bytes
}

// modulusOf returns the modulus of an RSA key in PKCS #1 or #8, nil if it is none.
func modulusOf(der []byte) *big.Int {
	var wrapped struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
	}
	if _, err := asn1.Unmarshal(der, &wrapped); err == nil {
		der = wrapped.Key
	}
	var key struct {
		Version int
		N, E, D *big.Int
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil
	}
	return key.N
}

// parseKey reads a private key in the forms that crypto/tls accepts, nil if it is in none.
func parseKey(der []byte) crypto.Signer {
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil
	}
	signer, _ := key.(crypto.Signer)
	return signer
}
