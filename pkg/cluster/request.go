package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// requests makes the requests to one API server.
type requests struct {
	base *url.URL
	// header is that of all requests: nobody may write into it.
	header http.Header
	// userAgent is what the caller's is; each request adds what it is for.
	userAgent string
	// prepared is the last readiness request. nil where the credential is not fixed.
	prepared *atomic.Pointer[preparedRequest]
}

// preparedRequest is a readiness request that all quick probes share, and what of it goes over the wire. Nothing of it
// changes from one probe to the next. Its own context never ends: that of the call goes beside it.
type preparedRequest struct {
	*http.Request
	path int
	head []byte
}

// purpose is what a request is for. Whoever reads an API server's audit log tells by it what costs what.
type purpose string

const (
	probing     purpose = "probe"
	fetching    purpose = "fetch"
	discovering purpose = "discovery"
)

// forPurpose returns the value of a User-Agent header, such as `clusterfleet-aggregator/1.2.0 (probe)`.
func forPurpose(userAgent string, p purpose) string { return userAgent + " (" + string(p) + ")" }

// serverURL returns the address of the API server. Errors do not repeat it: it may hold a password.
func serverURL(config *rest.Config) (*url.URL, error) {
	host := config.Host
	if host == "" {
		return nil, errors.New("the API server has no address")
	}
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	base, err := url.Parse(host)
	if err != nil || base.Hostname() == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("the API server's address is no http or https URL")
	}
	if base.User != nil {
		return nil, errors.New("the API server's address holds a user, which belongs into the credentials")
	}
	return base, nil
}

func newRequests(config *rest.Config, base *url.URL, userAgent string) (requests, error) {
	header := http.Header{"User-Agent": {forPurpose(userAgent, probing)}, "Accept": {"application/json"}}
	if isFixed(config) {
		var err error
		if header, err = fixedHeader(config, header); err != nil {
			return requests{}, err
		}
	}
	for name, values := range header {
		for _, value := range values {
			if !isFieldValue(value) {
				return requests{}, fmt.Errorf("the header %s: %w", name, errFieldValue)
			}
		}
	}
	r := requests{base: base, userAgent: userAgent, header: header}
	if isFixed(config) {
		r.prepared = new(atomic.Pointer[preparedRequest])
	}
	return r, nil
}

// fixedHeader returns the header with the credential that client-go's wrappers put into it, which is always the same.
func fixedHeader(config *rest.Config, header http.Header) (http.Header, error) {
	tc, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	var sent http.Header
	wrapped, err := transport.HTTPWrappersForConfig(tc, roundTripperFunc(func(req *http.Request) (*http.Response, error) {
		sent = req.Header
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	if err != nil {
		return nil, err
	}
	_, err = wrapped.RoundTrip(&http.Request{Header: header})
	return sent, err
}

// url returns the URL of a path below the server's own.
func (r *requests) url(path, query string) *url.URL {
	u := *r.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	if u.RawPath != "" {
		u.RawPath = strings.TrimSuffix(u.RawPath, "/") + (&url.URL{Path: path}).EscapedPath()
	}
	u.RawQuery = query
	u.Fragment, u.RawFragment = "", ""
	return &u
}

func (r *requests) get(ctx context.Context, path, query string) *http.Request {
	req := &http.Request{
		Method:     http.MethodGet,
		URL:        r.url(path, query),
		Host:       r.base.Host,
		Header:     r.header,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}
	return req.WithContext(ctx)
}

// ready returns a request for one of readyPaths.
func (r *requests) ready(ctx context.Context, path int) *http.Request {
	return r.get(ctx, readyPaths[path], "")
}

// prepare returns the shared request for one of readyPaths.
func (r *requests) prepare(path int) (*preparedRequest, error) {
	if p := r.prepared.Load(); p != nil && p.path == path {
		return p, nil
	}
	req := r.ready(context.Background(), path)
	head, err := appendRequest(nil, req)
	if err != nil {
		return nil, err
	}
	p := &preparedRequest{Request: req, path: path, head: head}
	r.prepared.Store(p)
	return p, nil
}

// read returns a request that asks for content in one of the given forms.
func (r *requests) read(ctx context.Context, p purpose, path, query, accept string) *http.Request {
	req := r.get(ctx, path, query)
	req.Header = req.Header.Clone()
	req.Header.Set("User-Agent", forPurpose(r.userAgent, p))
	req.Header.Set("Accept", accept)
	return req
}

func (r *requests) post(ctx context.Context, path, body string) *http.Request {
	req := r.get(ctx, path, "")
	req.Method = http.MethodPost
	req.Header = req.Header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return req
}
