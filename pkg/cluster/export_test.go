package cluster

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
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

// ConnectAtOnce makes several attempts to connect for one call at the same time, as net/http does where the connection that
// it gave the call meanwhile is cut.
func ConnectAtOnce(ctx context.Context, config *rest.Config, attempts int) error {
	tc, err := config.TransportConfig()
	if err != nil {
		return err
	}
	base, err := url.Parse(config.Host)
	if err != nil {
		return err
	}
	secure, err := newSecurity(tc, base)
	if err != nil {
		return err
	}
	c := &connector{dial: timed(dialTCP), address: base.Host, secure: secure, turns: &handshakeTurns{semaphore.NewWeighted(int64(attempts))}}
	connecting := roundTripperFunc(func(req *http.Request) (*http.Response, error) { //nolint:contextcheck // the request has it
		var group errgroup.Group
		for range attempts {
			group.Go(func() error {
				conn, err := connectFor(req.Context(), c.connect)
				if err != nil {
					return err
				}
				return conn.Close()
			})
		}
		return nil, group.Wait()
	})
	req, err := http.NewRequestWithContext(withTrace(ctx, &trace{}), http.MethodGet, config.Host, http.NoBody)
	if err != nil {
		return err
	}
	_, err = tracing{connecting}.RoundTrip(req)
	return err
}
