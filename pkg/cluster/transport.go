package cluster

import (
	"context"
	"crypto/tls"
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

// Bounds of the connections that read resources.
const (
	readFirstByte   = 10 * time.Second
	sessionsPerHost = 2
)

// transports are the ways to one API server: one for probes, one for reads. Both authenticate alike.
type transports struct {
	probe http.RoundTripper
	read  http.RoundTripper

	certificate presented

	wire   *wire
	reader *http.Transport
	links  links
	// calls are the reads that run, one more until the transports are closed.
	calls atomic.Int64
}

// newTransports builds both from a client-go configuration: TLS, credentials, plugins and impersonation are client-go's.
func (c *Client) newTransports() (*transports, error) {
	config := rest.CopyConfig(c.definition.Config)
	if config.Dial == nil {
		config.Dial = (&net.Dialer{KeepAlive: 30 * time.Second, Resolver: newResolver()}).DialContext
	}
	config.Dial = timed(config.Dial)
	config.Proxy = nil
	tc, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	secure, err := tlsConfig(tc, c.requests.base)
	if err != nil {
		return nil, err
	}
	t := &transports{}
	t.certificate.observe(secure)
	connector := connector{dial: tc.DialHolder.Dial, address: dialAddress(c.requests.base), turns: c.turns}
	t.wire = &wire{connector: connector, tls: resuming(secure)}
	t.calls.Store(1)
	t.reader = t.newReader(connector, resuming(secure))
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
	resp, err := c.reader.RoundTrip(req)
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
	if t.calls.Add(-1) == 0 {
		t.reader.CloseIdleConnections()
		t.links.close()
	}
}

// close closes the idle connections now, and those in use when their calls end. It is called once.
func (t *transports) close() {
	t.wire.close()
	t.reader.CloseIdleConnections()
	t.end()
}

// tlsConfig returns nil for a server that speaks plain HTTP.
func tlsConfig(tc *transport.Config, base *url.URL) (*tls.Config, error) {
	if base.Scheme != "https" {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	config, err := transport.TLSConfigFor(tc)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = base.Hostname()
	}
	return config, nil
}

// resuming returns a copy of the configuration for one transport, with sessions of its own to resume. Everything is
// HTTP/1.1: see docs/decisions/0004.
func resuming(config *tls.Config) *tls.Config {
	if config == nil {
		return nil
	}
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(sessionsPerHost)
	return config
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

func (t *transports) newReader(c connector, secure *tls.Config) *http.Transport {
	connect := func(ctx context.Context, secure *tls.Config) (net.Conn, error) {
		conn, err := c.connectFor(ctx, secure)
		if err != nil {
			return nil, err
		}
		return conn, t.links.add(linkOf(conn))
	}
	return &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx, nil) },
		DialTLSContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx, secure) },
		DisableCompression:     true,
		MaxConnsPerHost:        MaxReads,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  readFirstByte,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}
