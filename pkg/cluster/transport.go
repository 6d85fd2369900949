package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// Bounds of the connections that read resources.
const (
	maxReadConns    = 2
	readFirstByte   = 10 * time.Second
	pingIdle        = 15 * time.Second
	pingTimeout     = 5 * time.Second
	writeTimeout    = 10 * time.Second
	sessionsPerHost = 2
)

// transports are the ways to one API server: one for probes, one for reads. Both authenticate alike.
type transports struct {
	probe http.RoundTripper
	read  http.RoundTripper
	close func()
}

// newTransports builds both from a client-go configuration: TLS, credentials, plugins and impersonation are client-go's.
func newTransports(config *rest.Config, base *url.URL, handshakes *semaphore.Weighted) (*transports, error) {
	config = rest.CopyConfig(config)
	config.Dial = dialTCP
	config.Proxy = nil
	tc, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	secure, err := tlsConfig(tc, base)
	if err != nil {
		return nil, err
	}
	connector := connector{dial: tc.DialHolder.Dial, address: dialAddress(base), handshakes: handshakes}
	w := &wire{connector: connector, tls: alpn(secure, "http/1.1")}
	connector.dial = metered(connector.dial)
	r := newReadTransport(connector, alpn(secure, "h2", "http/1.1"))
	t := &transports{close: func() {
		w.close()
		r.CloseIdleConnections()
	}}
	guarded := config.ExecProvider != nil
	if t.probe, err = authenticate(tc, w, guarded); err != nil {
		return nil, err
	}
	if t.read, err = authenticate(tc, tracing{r}, guarded); err != nil {
		return nil, err
	}
	return t, nil
}

func authenticate(tc *transport.Config, base http.RoundTripper, guarded bool) (http.RoundTripper, error) {
	if !guarded {
		return transport.HTTPWrappersForConfig(tc, base)
	}
	gate := newPluginGate()
	rt, err := transport.HTTPWrappersForConfig(tc, gate.inner(base))
	if err != nil {
		return nil, err
	}
	return gate.outer(rt), nil
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

// alpn returns a copy of the configuration for one transport, with sessions of its own to resume.
func alpn(config *tls.Config, protocols ...string) *tls.Config {
	if config == nil {
		return nil
	}
	config = config.Clone()
	config.NextProtos = protocols
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

func newReadTransport(c connector, secure *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext: c.dial,
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return c.connect(ctx, secure)
		},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxConnsPerHost:        maxReadConns,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  readFirstByte,
		MaxResponseHeaderBytes: maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:  pingIdle,
			PingTimeout:      pingTimeout,
			WriteByteTimeout: writeTimeout,
		},
	}
}

// tracing reports the phases of net/http's transport to the call's trace, and tells an endless header by the bytes that
// came: net/http's own error for it has no type.
type tracing struct{ base http.RoundTripper }

// RoundTrip passes the request on.
func (r tracing) RoundTrip(req *http.Request) (*http.Response, error) {
	t := traceOf(req.Context())
	t.enter(PhaseConnect)
	var meter atomic.Pointer[meteredConn]
	var before int64
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if m := meterOf(info.Conn); m != nil {
				before = m.received.Load()
				meter.Store(m)
			}
			t.enter(PhaseSend)
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.enter(PhaseWait) },
		GotFirstResponseByte: func() { t.enter(PhaseBody) },
	})
	resp, err := r.base.RoundTrip(req.WithContext(ctx))
	if m := meter.Load(); err != nil && m != nil && m.received.Load()-before > maxHeaderBytes && !isTimeout(err) && req.Context().Err() == nil {
		err = fmt.Errorf("more than %d bytes of header: %w", maxHeaderBytes, errTooLarge)
	}
	return resp, err
}

// meteredConn counts the bytes that come from a server, TLS included.
type meteredConn struct {
	net.Conn
	received atomic.Int64
}

// Read counts.
func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

func meterOf(conn net.Conn) *meteredConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	m, _ := conn.(*meteredConn)
	return m
}

func metered(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &meteredConn{Conn: conn}, nil
	}
}
