package cluster

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// boundedReader fails with errTooLarge when there are more than left bytes.
type boundedReader struct {
	reader io.Reader
	left   int64
}

// Read reads at most what is left, and one byte more to see whether there is any.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left+1]
	}
	n, err := b.reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

// errMalformed is the cause of a failure at content that is not what it says it is.
var errMalformed = errors.New("the content is not what its header says")

// decompressed returns the content of the body. Compression is never asked for, but some servers compress all the same.
func decompressed(resp *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return resp.Body, nil
	case "gzip":
		source := &failureKeeper{reader: resp.Body}
		content, err := gzip.NewReader(source)
		if err != nil {
			return nil, source.explain()
		}
		return &inflated{content, source}, nil
	default:
		return nil, fmt.Errorf("%w: it is encoded as %q, which was not asked for", errMalformed, encoding)
	}
}

// failureKeeper keeps the error with which a reader ended.
type failureKeeper struct {
	reader io.Reader
	err    error
}

// Read reads on.
func (k *failureKeeper) Read(p []byte) (int, error) {
	n, err := k.reader.Read(p)
	k.err = err
	return n, err
}

// explain tells a connection that ended from a body that is complete and yet no gzip.
func (k *failureKeeper) explain() error {
	if k.err != nil && !errors.Is(k.err, io.EOF) {
		return k.err
	}
	return fmt.Errorf("%w: it is no valid gzip", errMalformed)
}

type inflated struct {
	content io.Reader
	source  *failureKeeper
}

// Read inflates.
func (r *inflated) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader returns it as it is
		err = r.source.explain()
	}
	return n, err
}
