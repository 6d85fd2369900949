package cluster_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// TestServersAreVerifiedWhateverTheSizeOfTheAuthority holds the two ways of verifying together: a small authority is parsed
// for each handshake, a large one stays parsed.
func TestServersAreVerifiedWhateverTheSizeOfTheAuthority(t *testing.T) {
	t.Parallel()
	here := []net.IP{net.IPv4(127, 0, 0, 1)}
	cases := map[string]struct {
		certificate func(ca *authority) tls.Certificate
		config      func(*rest.Config)
		reason      cluster.Reason
	}{
		"its own": {},
		"by an intermediate authority": {certificate: func(ca *authority) tls.Certificate {
			between := newAuthority("intermediate")
			between.cert = sign(between.cert, ca.cert, between.key.Public(), ca.key)
			certificate := between.serving("127.0.0.1")
			certificate.Certificate = append(certificate.Certificate, between.cert.Raw)
			return certificate
		}},
		"by another authority": {
			certificate: func(*authority) tls.Certificate { return newAuthority("another CA").serving("127.0.0.1") },
			reason:      cluster.TLSUnknownAuthority,
		},
		"of another host": {
			certificate: func(ca *authority) tls.Certificate { return ca.serving("other.invalid") },
			reason:      cluster.TLSHostnameMismatch,
		},
		"of a host that is not asked for": {
			config: func(c *rest.Config) { c.ServerName = "other.invalid" },
			reason: cluster.TLSHostnameMismatch,
		},
		"for clients only": {
			certificate: func(ca *authority) tls.Certificate {
				return ca.issue(func(c *x509.Certificate) {
					c.IPAddresses, c.ExtKeyUsage = here, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
				})
			},
			reason: cluster.TLSHandshakeFailed,
		},
		"expired": {
			certificate: func(ca *authority) tls.Certificate { return ca.during(-2*time.Hour, -time.Hour) },
			reason:      cluster.TLSExpired,
		},
		"not yet valid": {
			certificate: func(ca *authority) tls.Certificate { return ca.during(time.Hour, 2*time.Hour) },
			reason:      cluster.TLSExpired,
		},
		"by an authority for other addresses": {
			certificate: func(ca *authority) tls.Certificate {
				between := ca.constrained()
				certificate := between.serving("127.0.0.1")
				certificate.Certificate = append(certificate.Certificate, between.cert.Raw)
				return certificate
			},
			reason: cluster.TLSHandshakeFailed,
		},
	}
	for size, grown := range map[string]func([]byte) []byte{
		"small": func(pem []byte) []byte { return pem },
		"large": func(pem []byte) []byte { return append(bytes.Repeat([]byte("# a comment\n"), 1000), pem...) },
	} {
		for name, c := range cases {
			t.Run(size+"/"+name, func(t *testing.T) {
				t.Parallel()
				a := newAPI(t, func(a *api) {
					if c.certificate != nil {
						a.TLS.Certificates = []tls.Certificate{c.certificate(a.ca)}
					}
				})
				config := a.config()
				config.CAData = grown(config.CAData)
				if c.config != nil {
					c.config(config)
				}
				for _, depth := range []cluster.Depth{cluster.Full, cluster.Quick} {
					v, err := newClient(t, config).Probe(t.Context(), depth, cluster.DefaultProbeTimeout)
					if err != nil || v.Reason != c.reason || (v.State == cluster.Healthy) != (c.reason == "") {
						t.Errorf("%+v, %v", v, err)
					}
				}
				if seen := a.seen(); c.reason != "" && len(seen) > 0 {
					t.Errorf("a server that is not trusted was sent %q", seen)
				}
				// What crypto/tls has not verified it does not resume: only where the authority is small is it up to us.
				resumed, err := resume(t, config, a.Listener.Addr().String())
				if (err == nil) != (c.reason == "") || resumed != (c.reason == "" && size == "small") {
					t.Errorf("on the session of a handshake that verified nothing: resumed %v, %v", resumed, err)
				}
			})
		}
	}
}
