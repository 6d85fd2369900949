package cluster

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// boundedReader fails with errTooLarge when more than left bytes are read.
type boundedReader struct {
	reader io.Reader
	left   int64
}

// Read reads at most what is left.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("more bytes than allowed: %w", errTooLarge)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.reader.Read(p)
	b.left -= int64(n)
	return n, err
}

// decompress returns the content of the body. Compression is never asked for, but some servers compress all the same.
func decompress(resp *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return resp.Body, nil
	case "gzip":
		return gzip.NewReader(resp.Body)
	default:
		return nil, fmt.Errorf("the answer has the content encoding %q, which was not asked for", encoding)
	}
}
