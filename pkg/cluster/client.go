package cluster

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Options are what all clients of a fleet share.
type Options struct {
	// UserAgent is sent with every request. API servers tell our requests from others' by it.
	UserAgent string
	// Handshakes bounds the TLS handshakes at one time over all clients. nil: a bound of the client's own.
	Handshakes *semaphore.Weighted
}

// maxHandshakes bounds a client's own handshakes.
const maxHandshakes = 4

// rereadPause is the time after which rejected credentials are read again.
const rereadPause = time.Second

// Client asks one API server. It is made once for a Definition and is safe for concurrent use.
type Client struct {
	definition Definition
	base       *url.URL
	requests   requests
	handshakes *semaphore.Weighted

	probing *limiter
	reading *limiter
	// turn makes the probes of a cluster take turns, so that they need one connection.
	turn chan struct{}

	transports atomic.Pointer[transports]
	// readyPath is the index into readyPaths that answered last.
	readyPath atomic.Int32
	facts     factsCache
	types     typeCache

	mu     sync.Mutex
	closed bool
	reread time.Time
}

// New returns a client. It makes no connection; it fails if the definition's credentials are not usable.
func New(definition Definition, options Options) (*Client, error) {
	if definition.Config == nil {
		return nil, errors.New("a virtual cluster has no API server")
	}
	base, err := url.Parse(definition.Config.Host)
	if err != nil {
		return nil, err
	}
	if options.Handshakes == nil {
		options.Handshakes = semaphore.NewWeighted(maxHandshakes)
	}
	slots := make(chan struct{}, maxCalls) // as many tokens as calls may run
	c := &Client{
		definition: definition,
		base:       base,
		requests:   newRequests(definition.Config, base, options.UserAgent),
		handshakes: options.Handshakes,
		probing:    newLimiter(slots, rate.Limit(probeRate), probeBurst),
		reading:    newLimiter(slots, rate.Limit(readRate), readBurst),
		turn:       make(chan struct{}, 1), // one token: the probe that runs
	}
	t, err := newTransports(definition.Config, base, options.Handshakes)
	if err != nil {
		return nil, err
	}
	c.transports.Store(t)
	return c, nil
}

// Definition returns what the client was made from.
func (c *Client) Definition() Definition { return c.definition }

// Close closes the idle connections now, and those in use when their calls end.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.transports.Load().close()
}

// rereadable reports whether the credential comes from a place where it may be renewed without our knowing.
func (c *Client) rereadable() bool {
	config := c.definition.Config
	return config.BearerTokenFile != "" || config.CertFile != "" || config.ExecProvider != nil
}

// rereadCredentials makes the following calls use the credential as it is now, and reports whether it did. It is called
// when the server has rejected a credential; a server that rejects all of them does not make us read them all the time.
func (c *Client) rereadCredentials() bool {
	if !c.rereadable() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || time.Since(c.reread) < rereadPause {
		return false
	}
	t, err := newTransports(c.definition.Config, c.base, c.handshakes)
	if err != nil {
		return false
	}
	c.reread = time.Now()
	c.transports.Swap(t).close()
	return true
}

// roundTrip sends a request and, if the credential was rejected but could be read anew, sends it once more.
func (c *Client) roundTrip(req *http.Request, way func(*transports) http.RoundTripper) (*http.Response, error) {
	resp, err := way(c.transports.Load()).RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !c.rereadCredentials() {
		return resp, err
	}
	_ = resp.Body.Close() // the second answer counts
	again, err := rewind(req.Clone(req.Context()))
	if err != nil {
		return nil, err
	}
	return way(c.transports.Load()).RoundTrip(again)
}

func probeWay(t *transports) http.RoundTripper { return t.probe }
func readWay(t *transports) http.RoundTripper  { return t.read }
