package simulator

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// pki is the fleet's certificates: one authority that clients trust, one that they do not, and the key that all
// serving certificates share.
type pki struct {
	authority *authority
	stranger  *authority
	serverKey *ecdsa.PrivateKey
}

func newPKI(now time.Time) (*pki, error) {
	trusted, err := newAuthority("fleetsim CA", now)
	if err != nil {
		return nil, err
	}
	stranger, err := newAuthority("stranger CA", now)
	if err != nil {
		return nil, err
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	return &pki{authority: trusted, stranger: stranger, serverKey: key}, nil
}

// serverConfigs returns the configuration of all healthy clusters, which share one set of ticket keys, and that of
// clusters with a TLS fault: a resumed session would never show its certificate.
func (f *Fleet) serverConfigs(auth Auth) (healthy, faulty *tls.Config) {
	healthy = &tls.Config{
		MinVersion:                  tls.VersionTLS12,
		NextProtos:                  []string{"h2", "http/1.1"},
		CurvePreferences:            []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384},
		DynamicRecordSizingDisabled: true,
		GetCertificate:              f.serveCertificate,
		VerifyConnection:            f.stats.countHandshake,
	}
	if auth == AuthCert {
		healthy.ClientAuth = tls.RequestClientCert // who it is decides the handler, as in a real API server: 401, no alert
	}
	faulty = healthy.Clone()
	faulty.SessionTicketsDisabled = true
	healthy.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if forgerFor(hello) != nil {
			return faulty, nil
		}
		return nil, nil
	}
	return healthy, faulty
}

func (f *Fleet) serveCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	chain, err := f.chainFor(hello)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: f.pki.serverKey}, nil
}

func (f *Fleet) chainFor(hello *tls.ClientHelloInfo) ([][]byte, error) {
	c, ok := hello.Conn.(*conn)
	if !ok {
		return nil, fmt.Errorf("a connection of no cluster: %T", hello.Conn)
	}
	if forge := forgerFor(hello); forge != nil {
		return forge(f.pki, serverTemplate(c.cluster, time.Now()))
	}
	der, err := c.cluster.certificateFrom(f.pki)
	if err != nil {
		return nil, err
	}
	return [][]byte{der}, nil
}

// issueCertificates has every cluster's certificate ready before it is asked for, as real API servers do, without letting
// the start of a fleet of thousands wait for that.
func (f *Fleet) issueCertificates(ctx context.Context) {
	for _, c := range f.clusters {
		if ctx.Err() != nil {
			return
		}
		if _, err := c.certificateFrom(f.pki); err != nil {
			f.log.Error("a serving certificate cannot be issued", "cluster", c.name, "error", err)
		}
	}
}

// certificateFrom issues the cluster's certificate when it is first needed.
func (c *cluster) certificateFrom(p *pki) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.certificate == nil {
		der, err := p.authority.sign(serverTemplate(c, time.Now()), p.serverKey)
		if err != nil {
			return nil, err
		}
		c.certificate = der
	}
	return c.certificate, nil
}

// forgerFor makes the certificate of a cluster with a TLS fault; nil for all others.
func forgerFor(hello *tls.ClientHelloInfo) forger {
	c, ok := hello.Conn.(*conn)
	if !ok {
		return nil
	}
	fault := c.cluster.faults.Load().connectionFault()
	if fault == nil {
		return nil
	}
	return fault.forge
}

// peerCertificate is the client's certificate, nil when it showed none.
func peerCertificate(state *tls.ConnectionState) *x509.Certificate {
	if state == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	return state.PeerCertificates[0]
}
