package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// requests makes the requests to one API server.
type requests struct {
	base *url.URL
	// userAgent is what the caller's is; each request adds what it is for.
	userAgent string
	// fixed says that the credential is part of the configuration. Then it is in the fields that all requests have; a map
	// of them for each cluster would take four times as much.
	fixed      bool
	credential []field
}

// field is one of a header.
type field struct{ name, value string }

// purpose is what a request is for. Whoever reads an API server's audit log tells by it what costs what.
type purpose string

const (
	probing     purpose = "probe"
	fetching    purpose = "fetch"
	discovering purpose = "discovery"
)

const mediaJSON = "application/json"

// appendPurpose appends the value of a User-Agent header, such as `clusterfleet-aggregator/1.2.0 (probe)`.
func appendPurpose(b []byte, userAgent string, p purpose) []byte {
	b = append(b, userAgent...)
	b = append(b, " ("...)
	b = append(b, p...)
	return append(b, ')')
}

// serverURL returns the address of the API server: scheme, host, and the path below which the server's own begin, without
// a slash at its end. The path is cleaned, as kubectl does it. Errors do not repeat the address: it may hold a password.
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
	below := base.JoinPath("")
	if below.Path == "/" {
		below.Path = ""
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: below.Path, RawPath: below.RawPath}, nil
}

func newRequests(config *rest.Config, base *url.URL, userAgent string) (requests, error) {
	r := requests{base: base, userAgent: userAgent, fixed: isFixed(config)}
	if r.fixed {
		var err error
		if r.credential, err = fixedCredential(config); err != nil {
			return requests{}, err
		}
	}
	for name, values := range r.header(probing, mediaJSON) {
		for _, value := range values {
			if !isFieldValue(value) {
				return requests{}, fmt.Errorf("the header %s: %w", name, errFieldValue)
			}
		}
	}
	return r, nil
}

// fixedCredential returns what client-go's wrappers add to a request, which is always the same.
func fixedCredential(config *rest.Config) ([]field, error) {
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
	const ours = "User-Agent" // or they would add theirs
	if _, err = wrapped.RoundTrip(&http.Request{Header: http.Header{ours: {"x"}}}); err != nil {
		return nil, err
	}
	var fields []field
	for name, values := range sent {
		for _, value := range values {
			if name != ours {
				fields = append(fields, field{name, value})
			}
		}
	}
	return fields, nil
}

// header returns the header of a request, which is the caller's.
func (r *requests) header(p purpose, accept string) http.Header {
	header := http.Header{"User-Agent": {string(appendPurpose(nil, r.userAgent, p))}, "Accept": {accept}}
	for _, f := range r.credential {
		header[f.name] = append(header[f.name], f.value)
	}
	return header
}

// url returns the URL of a path below the server's own.
func (r *requests) url(path, query string) url.URL {
	u := *r.base
	u.Path += path
	if u.RawPath != "" {
		u.RawPath += (&url.URL{Path: path}).EscapedPath()
	}
	u.RawQuery = query
	return u
}

// bare returns a request without a context.
func (r *requests) bare(p purpose, path, query, accept string) http.Request {
	u := r.url(path, query)
	return http.Request{
		Method:     http.MethodGet,
		URL:        &u,
		Host:       u.Host,
		Header:     r.header(p, accept),
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}
}

// get returns a probe's request.
func (r *requests) get(ctx context.Context, path, query string) *http.Request {
	return r.read(ctx, probing, path, query, mediaJSON)
}

// read returns a request that asks for content in one of the given forms.
func (r *requests) read(ctx context.Context, p purpose, path, query, accept string) *http.Request {
	req := r.bare(p, path, query, accept)
	return req.WithContext(ctx)
}

func (r *requests) post(ctx context.Context, path, body string) *http.Request {
	req := r.get(ctx, path, "")
	req.Method = http.MethodPost
	req.Header.Set("Content-Type", mediaJSON)
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return req
}

// appendReady appends the request for one of readyPaths as it goes over the wire, with nothing made for it.
func (r *requests) appendReady(b []byte, path int) []byte {
	u := r.url(readyPaths[path], "")
	b = appendStart(b, http.MethodGet, &u)
	b = append(b, "User-Agent: "...)
	b = appendPurpose(b, r.userAgent, probing)
	b = append(b, "\r\n"...)
	b = appendField(b, "Accept", mediaJSON)
	for _, f := range r.credential {
		b = appendField(b, f.name, f.value)
	}
	return append(b, "\r\n"...)
}
