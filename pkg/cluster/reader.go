package cluster

import (
	"context"
	"net"
	"net/http"
	"time"
)

// readFirstByte bounds the wait for an answer to a read.
const readFirstByte = 10 * time.Second

// reader is the http.RoundTripper of reads: net/http's, on connections whose number holds.
type reader struct {
	*http.Transport
	links *links
}

func newReader(connect connectFunc) *reader {
	links := newLinks()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return connectFor(ctx, func(ctx context.Context) (net.Conn, error) { return links.connect(ctx, connect) })
	}
	return &reader{
		Transport: &http.Transport{
			DialContext:            dial,
			DialTLSContext:         dial,
			DisableCompression:     true,
			MaxConnsPerHost:        MaxReads,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        idleTimeout,
			ResponseHeaderTimeout:  readFirstByte,
			MaxResponseHeaderBytes: maxHeaderBytes,
		},
		links: links,
	}
}
