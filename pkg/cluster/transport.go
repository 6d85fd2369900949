package cluster

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// transports are the ways to one API server: one for probes, one for reads. Both authenticate alike.
type transports struct {
	probe http.RoundTripper
	read  http.RoundTripper

	wire *wire
	// reader is made at the first read: most clusters are only probed.
	reader lazy[reader]
	// calls are the reads that run, one more until the transports are closed.
	calls atomic.Int64
}

// newTransports builds both from a client-go configuration: TLS, credentials, plugins and impersonation are client-go's.
func (c *Client) newTransports() (*transports, error) {
	config := rest.CopyConfig(c.definition.Config)
	if config.Dial == nil {
		config.Dial = dialTCP
	}
	config.Dial = timed(config.Dial)
	config.Proxy = nil
	tc, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	secure, err := newSecurity(tc, c.requests.base)
	if err != nil {
		return nil, err
	}
	t := &transports{wire: &wire{connector: connector{
		dial: tc.DialHolder.Dial, address: dialAddress(c.requests.base), secure: secure, turns: c.turns,
	}}}
	t.calls.Store(1)
	if t.probe, err = c.authenticated(tc, t.wire); err != nil {
		return nil, err
	}
	if t.read, err = c.authenticated(tc, tracing{counted{t}}); err != nil {
		return nil, err
	}
	return t, nil
}

// authenticated puts client-go's wrappers, which add the credential to each request, around base. A credential that does
// not change is in the header that all requests have.
func (c *Client) authenticated(tc *transport.Config, base http.RoundTripper) (http.RoundTripper, error) {
	if isFixed(c.definition.Config) {
		return base, nil
	}
	if c.gate == nil {
		return transport.HTTPWrappersForConfig(tc, base)
	}
	rt, err := transport.HTTPWrappersForConfig(tc, c.gate.inner(base))
	if err != nil {
		return nil, err
	}
	return c.gate.outer(rt), nil
}

// counted passes requests on to the reader and counts the calls until their answers are closed.
type counted struct{ *transports }

// RoundTrip passes the request on.
func (c counted) RoundTrip(req *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	end := sync.OnceFunc(c.end)
	resp, err := c.reader.get(func() *reader { return newReader(c.wire.connect) }).RoundTrip(req)
	if err != nil {
		end()
		return nil, err
	}
	resp.Body = &countedBody{resp.Body, end}
	return resp, nil
}

type countedBody struct {
	io.ReadCloser
	end func()
}

// Close ends the call.
func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

// end closes what the last read leaves open in closed transports: net/http keeps some connections that were in use.
func (t *transports) end() {
	if t.calls.Add(-1) > 0 {
		return
	}
	if made := t.reader.made.Load(); made != nil {
		made.CloseIdleConnections()
		made.links.close()
	}
}

// close closes the idle connections now, and those in use when their calls end. It is called once.
func (t *transports) close() {
	t.wire.close()
	if made := t.reader.made.Load(); made != nil {
		made.CloseIdleConnections()
	}
	t.end()
}

// presentedUntil is when the client certificate ends that was presented last, zero if none was.
func (t *transports) presentedUntil() time.Time {
	if t.wire.secure == nil {
		return time.Time{}
	}
	return t.wire.secure.presented.end()
}

func dialAddress(base *url.URL) string {
	port := base.Port()
	if port == "" {
		port = "443"
		if base.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(base.Hostname(), port)
}
