package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Bounds of the answers to probes.
const (
	maxHeaderBytes = 64 << 10
	maxProbeBytes  = 1 << 20
	maxInterim     = 8
)

// errNotHTTP is the failure of an answer in another protocol, such as HTTP/2.
var errNotHTTP = errors.New("it does not begin as HTTP/1.1 does")

// exchangeBuffers are what one exchange needs and returns.
type exchangeBuffers struct {
	request []byte
	reader  *bufio.Reader
	bound   boundedReader // what reader reads from
}

// exchangePool holds buffers between exchanges.
var exchangePool = sync.Pool{New: func() any {
	return &exchangeBuffers{request: make([]byte, 0, 1<<10), reader: bufio.NewReaderSize(nil, 4<<10)}
}}

func (b *exchangeBuffers) release() {
	b.bound = boundedReader{}
	b.reader.Reset(nil)
	clear(b.request) // it held a credential
	b.request = b.request[:0]
	exchangePool.Put(b)
}

// roundTrip reports whether the connection can serve another request.
func (c *wireConn) roundTrip(o outgoing, t *trace) (resp *http.Response, reusable bool, err error) {
	b := exchangePool.Get().(*exchangeBuffers) //nolint:forcetypeassert // nothing else is put there
	defer b.release()
	t.enter(PhaseSend)
	if b.request, err = o.appendTo(b.request[:0]); err != nil {
		return nil, false, err
	}
	if _, err = c.Write(b.request); err != nil {
		return nil, false, c.unseen(err)
	}
	t.enter(PhaseWait)
	sent := time.Now()
	b.bound = boundedReader{reader: c.Conn, left: maxHeaderBytes}
	b.reader.Reset(&b.bound)
	first, err := b.reader.Peek(1)
	if err != nil {
		return nil, false, c.unseen(err)
	}
	t.firstByte = time.Since(sent)
	t.enter(PhaseBody)
	if first[0] != 'H' { // or it may never come to the end of a line
		return nil, false, errNotHTTP
	}
	if t.terse {
		if resp := usualAnswer(b.reader, o); resp != nil {
			return resp, true, nil
		}
	}
	return b.readAnswer(o.request())
}

// readAnswer reads any answer.
func (b *exchangeBuffers) readAnswer(req *http.Request) (resp *http.Response, reusable bool, err error) {
	resp, err = readHeader(b.reader, req)
	if err != nil {
		return nil, false, err
	}
	b.bound.left = 2 * maxProbeBytes // chunks have headers of their own
	if err = readWhole(resp, maxProbeBytes); err != nil {
		return nil, false, err
	}
	kept := !resp.Close && resp.StatusCode >= http.StatusOK && b.reader.Buffered() == 0
	return resp, kept, nil
}

// readHeader reads the header of the final answer, past interim ones.
func readHeader(r *bufio.Reader, req *http.Request) (*http.Response, error) {
	for range maxInterim {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, errors.New("too many interim answers")
}

// readWhole replaces the body by its whole, decompressed content of at most limit bytes.
func readWhole(resp *http.Response, limit int64) error {
	if resp.ContentLength == 0 || resp.StatusCode < http.StatusOK {
		resp.Body = wholeBody(nil)
		return nil
	}
	body, err := decompressed(resp)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return err
	}
	if int64(len(content)) > limit {
		return fmt.Errorf("more than %d bytes: %w", limit, errTooLarge)
	}
	resp.Body = wholeBody(content)
	return nil
}

// wholeBody is a body that has been read. It can be had as bytes only.
type wholeBody []byte

// Read returns nothing: contentOf has it all.
func (wholeBody) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing.
func (wholeBody) Close() error { return nil }

// contentOf returns the content of a probe's answer.
func contentOf(resp *http.Response) []byte {
	content, _ := resp.Body.(wholeBody)
	return content
}
