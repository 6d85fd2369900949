package cluster

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
	"k8s.io/client-go/rest"
)

// Options are what all clients of a fleet share.
type Options struct {
	// UserAgent is sent with every request, followed by what it is for: (probe), (fetch) or (discovery). API servers write
	// it into their audit log.
	UserAgent string
	// Handshakes bounds the TLS handshakes that use the processor at one time, over all clients. nil: a bound of the
	// client's own.
	Handshakes *semaphore.Weighted
}

// maxHandshakes bounds a client's own handshakes.
const maxHandshakes = 4

// rereadPause is the time after which rejected credentials are read again.
const rereadPause = time.Second

// Client asks one API server. It is made once for a Definition and is safe for concurrent use.
type Client struct {
	definition Definition
	requests   requests
	turns      *handshakeTurns
	gate       *pluginGate // nil without a credential plugin

	probing *limiter
	reading lazy[reading]

	transports atomic.Pointer[transports]
	// readyPath is the index into readyPaths that answered last.
	readyPath atomic.Int32
	facts     factsCache

	mu     sync.Mutex
	closed bool
	reread time.Time
}

// New returns a client. It makes no connection; it fails if the definition's address or credentials are not usable.
func New(definition Definition, options Options) (*Client, error) {
	config := definition.Config
	if config == nil {
		return nil, errors.New("a virtual cluster has no API server")
	}
	base, err := serverURL(config)
	if err != nil {
		return nil, err
	}
	if options.Handshakes == nil {
		options.Handshakes = semaphore.NewWeighted(maxHandshakes)
	}
	c := &Client{
		definition: definition,
		turns:      &handshakeTurns{options.Handshakes},
		probing:    newLimiter(maxProbes, maxProbes, rate.Limit(probeRate), probeBurst),
	}
	if c.requests, err = newRequests(config, base, options.UserAgent); err != nil {
		return nil, err
	}
	if config.ExecProvider != nil {
		c.gate = newPluginGate()
	}
	t, err := c.newTransports()
	if err != nil {
		return nil, err
	}
	c.transports.Store(t)
	return c, nil
}

// String returns the cluster's name: a client never prints its credentials.
func (c *Client) String() string { return c.definition.Name }

// GoString returns the cluster's name: a client never prints its credentials.
func (c *Client) GoString() string { return "cluster.Client(" + c.definition.Name + ")" }

// MarshalJSON returns the cluster's name: a client never prints its credentials.
func (c *Client) MarshalJSON() ([]byte, error) { return json.Marshal(c.definition.Name) }

// LogValue returns the cluster's name: a client never logs its credentials.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.definition.Name) }

// Close closes the idle connections now, and those in use when their calls end. No further read begins.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.transports.Load().close()
	}
}

func (c *Client) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// isFixed reports whether the credential is part of the configuration, so that it changes only with the definition.
func isFixed(config *rest.Config) bool {
	return config.BearerTokenFile == "" && config.ExecProvider == nil && config.AuthProvider == nil && config.WrapTransport == nil
}

// rereadable reports whether the credential comes from a place where it may be renewed without our knowing.
func rereadable(config *rest.Config) bool {
	return config.BearerTokenFile != "" || config.CertFile != "" || config.ExecProvider != nil
}

// rereadCredentials makes the following calls use the credential as it is now, and reports whether the call that used
// the given transports may try again. It is called when the server has rejected a credential; a server that rejects all
// of them does not make us read them all the time.
func (c *Client) rereadCredentials(used *transports) bool {
	if !rereadable(c.definition.Config) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.transports.Load() != used {
		return true // another call has just read it
	}
	if time.Since(c.reread) < rereadPause {
		return false
	}
	c.reread = time.Now()
	t, err := c.newTransports()
	if err != nil {
		return false
	}
	c.transports.Swap(t).close()
	return true
}

// roundTrip sends a request by one of the ways and, if the credential was rejected but could be read anew, once more.
func (c *Client) roundTrip(send func(*transports) (*http.Response, error)) (*http.Response, error) {
	used := c.transports.Load()
	resp, err := send(used)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !c.rereadCredentials(used) {
		return resp, err
	}
	_ = resp.Body.Close() // the second answer counts
	return send(c.transports.Load())
}

// rewound returns the request as it was before it was sent.
func rewound(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	req = req.WithContext(req.Context())
	req.Body = body
	return req, nil
}

// by returns what sends the request by one of the ways. It may be sent more than once.
func by(way func(*transports) http.RoundTripper, req *http.Request) func(*transports) (*http.Response, error) {
	return func(t *transports) (*http.Response, error) {
		again, err := rewound(req)
		if err != nil {
			return nil, err
		}
		return way(t).RoundTrip(again)
	}
}

func probeWay(t *transports) http.RoundTripper { return t.probe }
func readWay(t *transports) http.RoundTripper  { return t.read }
