package simulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// hugeSAN is how many names TLSHugeSAN puts into one certificate: what still fits into the 256 KiB that clients accept.
const hugeSAN = 5000

// forged signs a template that is wrong already, or with the wrong signer.
func (p *pki) forged(signer *authority, template *x509.Certificate) ([][]byte, error) {
	der, err := signer.sign(template, p.serverKey)
	if err != nil {
		return nil, err
	}
	if signer == p.authority {
		return [][]byte{der}, nil
	}
	return [][]byte{der, signer.cert.Raw}, nil
}

func forgeExpired(p *pki, t *x509.Certificate) ([][]byte, error) {
	t.NotBefore, t.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	return p.forged(p.authority, t)
}

func forgeWrongHost(p *pki, t *x509.Certificate) ([][]byte, error) {
	t.Subject.CommonName = "other." + domain
	t.DNSNames, t.IPAddresses = []string{"other." + domain}, nil
	return p.forged(p.authority, t)
}

func forgeUnknownCA(p *pki, t *x509.Certificate) ([][]byte, error) { return p.forged(p.stranger, t) }

func forgeHugeSAN(p *pki, t *x509.Certificate) ([][]byte, error) {
	t.DNSNames, t.IPAddresses = nil, nil
	for i := range hugeSAN {
		t.DNSNames = append(t.DNSNames, fmt.Sprintf("name-%04d.of-too-many.%s", i, domain))
	}
	return p.forged(p.authority, t)
}

func forgeBadConstraint(p *pki, t *x509.Certificate) ([][]byte, error) {
	constrained, err := p.authority.intermediate("fleetsim constrained CA", time.Now(), func(ca *x509.Certificate) {
		ca.PermittedDNSDomainsCritical = true
		ca.PermittedDNSDomains = []string{"elsewhere." + domain}
	})
	if err != nil {
		return nil, err
	}
	return p.forged(constrained, t)
}

// forgeDSA makes a leaf whose public key is a DSA key, correctly signed. The standard library cannot, so the key of an
// ordinary certificate is exchanged and the certificate signed again.
func forgeDSA(p *pki, t *x509.Certificate) ([][]byte, error) {
	der, err := p.authority.sign(t, p.serverKey)
	if err != nil {
		return nil, err
	}
	der, err = exchangeKey(der, p.authority.key)
	if err != nil {
		return nil, fmt.Errorf("make a DSA certificate: %w", err)
	}
	return [][]byte{der}, nil
}

// certificate and tbsCertificate follow RFC 5280, section 4.1.
type certificate struct {
	TBS       asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type tbsCertificate struct {
	Version    int `asn1:"explicit,tag:0"`
	Serial     *big.Int
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  publicKeyInfo
	Extensions asn1.RawValue `asn1:"optional,explicit,tag:3"`
}

type publicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// dsaParameters follow RFC 3279, section 2.3.2.
type dsaParameters struct{ P, Q, G *big.Int }

func exchangeKey(der []byte, signer *ecdsa.PrivateKey) ([]byte, error) {
	var cert certificate
	if _, err := asn1.Unmarshal(der, &cert); err != nil {
		return nil, err
	}
	var tbs tbsCertificate
	if _, err := asn1.Unmarshal(cert.TBS.FullBytes, &tbs); err != nil {
		return nil, err
	}
	var err error
	if tbs.PublicKey, err = dsaPublicKey(); err != nil {
		return nil, err
	}
	if cert.TBS.FullBytes, err = asn1.Marshal(tbs); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(cert.TBS.FullBytes)
	signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	cert.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(cert)
}

// dsaPublicKey has the form of a key and the size of one; nobody holds its private half, for no client gets as far as
// to ask for a proof.
func dsaPublicKey() (publicKeyInfo, error) {
	odd := func(bits uint) *big.Int { return new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1) }
	parameters, err := asn1.Marshal(dsaParameters{P: odd(2048), Q: odd(256), G: big.NewInt(2)})
	if err != nil {
		return publicKeyInfo{}, err
	}
	key, err := asn1.Marshal(odd(2047))
	if err != nil {
		return publicKeyInfo{}, err
	}
	return publicKeyInfo{
		Algorithm: pkix.AlgorithmIdentifier{
			Algorithm:  asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1},
			Parameters: asn1.RawValue{FullBytes: parameters},
		},
		Key: asn1.BitString{Bytes: key, BitLength: 8 * len(key)},
	}, nil
}
