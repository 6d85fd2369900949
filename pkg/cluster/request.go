package cluster

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
)

// requests makes the requests to one API server.
type requests struct {
	base *url.URL
	// header is shared by requests that carry a fixed credential or none, so nobody may change it.
	header http.Header
	// own makes each request carry a header of its own: client-go's plugins write into it.
	own bool
}

func newRequests(config *rest.Config, base *url.URL, userAgent string) requests {
	header := http.Header{"User-Agent": {userAgent}, "Accept": {"application/json"}}
	// A fixed token is put in once here; client-go's wrapper, which copies the request to put it in, then passes it on.
	if config.BearerToken != "" && config.BearerTokenFile == "" && !impersonates(config) {
		header["Authorization"] = []string{"Bearer " + config.BearerToken}
	}
	return requests{base: base, header: header, own: config.ExecProvider != nil}
}

func impersonates(config *rest.Config) bool {
	i := config.Impersonate
	return i.UserName != "" || i.UID != "" || len(i.Groups) > 0 || len(i.Extra) > 0
}

func (r requests) get(ctx context.Context, path, query string) *http.Request {
	u := *r.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = query
	req := &http.Request{
		Method:     http.MethodGet,
		URL:        &u,
		Host:       u.Host,
		Header:     r.header,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}
	if r.own {
		req.Header = r.header.Clone()
	}
	return req.WithContext(ctx)
}

func (r requests) accept(ctx context.Context, path, query, accept string) *http.Request {
	req := r.get(ctx, path, query)
	req.Header = r.header.Clone()
	req.Header.Set("Accept", accept)
	return req
}

func (r requests) post(ctx context.Context, path, body string) *http.Request {
	req := r.get(ctx, path, "")
	req.Method = http.MethodPost
	req.Header = r.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	req.Body, _ = req.GetBody() //nolint:errcheck // it cannot fail
	return req
}
