package cluster

import (
	"crypto/tls"
	"net/url"

	"k8s.io/client-go/rest"
)

// MaxPageBytes is the bound of one answer to a read.
const MaxPageBytes = maxPageBytes

// Handshakes returns the configurations of a client's handshakes, which share its session. One that trusts verifies nothing
// and leaves a session behind all the same.
func Handshakes(config *rest.Config) (func(trusts bool) *tls.Config, error) {
	tc, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	s, err := newSecurity(tc, base)
	if err != nil {
		return nil, err
	}
	return func(trusts bool) *tls.Config {
		p := &proof{}
		if !trusts {
			return s.config(false, p)
		}
		trusting := &security{serverName: s.serverName, minVersion: s.minVersion, insecure: true}
		made := trusting.config(false, p)
		made.ClientSessionCache = provenSessions{last: &s.sessions, proof: p}
		return made
	}, nil
}
