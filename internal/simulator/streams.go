package simulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// chunkSize is how much a fault writes at once.
const chunkSize = 64 << 10

// listStart begins a list that a fault does not end as it should.
const listStart = `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"` + resourceVersion + `"},"items":[`

// filling is JSON that may stand in a list any number of times.
func (x *exchange) filling() []byte {
	s := x.fleet.catalogue.find("", "v1", "pods")
	if len(s.body) == 0 {
		return bytes.Repeat([]byte(`{"metadata":{"name":"filling"}},`), chunkSize/32)
	}
	one := append(bytes.Clone(s.text(span{0, 1})), ',')
	return bytes.Repeat(one, 1+chunkSize/len(one))
}

// pour writes piece again and again until n bytes are written, or for ever when n is negative. It ends with the client.
func (x *exchange) pour(piece []byte, n int64) error {
	for n != 0 {
		if n > 0 && int64(len(piece)) > n {
			piece = piece[:n]
		}
		if _, err := x.w.Write(piece); err != nil {
			return err
		}
		if n > 0 {
			n -= int64(len(piece))
		}
	}
	return nil
}

func (x *exchange) say(text string) error {
	_, err := io.WriteString(x.w, text)
	return err
}

func endlessBody(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	x.head(http.StatusOK, jsonType)
	if err := x.say(listStart); err != nil {
		return true, err
	}
	return true, x.pour(x.filling(), -1)
}

// hugeList ignores limit and sends its items over and over.
func hugeList(_ context.Context, x *exchange, f *Fault) (bool, error) {
	t, ok := parseTarget(x.r).in(x.cluster.catalogue)
	if !ok || t.verb != "list" || x.identify() != owner || len(t.shelf.body) == 0 {
		return false, nil
	}
	x.head(http.StatusOK, jsonType)
	head, tail := t.shelf.frame(page{remaining: -1})
	all := append(bytes.Clone(t.shelf.body), ',')
	rounds := max(0, f.Bytes/int64(len(all))-1)
	if err := x.say(string(head)); err != nil {
		return true, err
	}
	if err := x.pour(all, rounds*int64(len(all))); err != nil {
		return true, err
	}
	return true, x.say(string(t.shelf.body) + string(tail))
}

func truncatedJSON(_ context.Context, x *exchange, _ *Fault) (bool, error) {
	text := listStart + string(x.filling())
	return true, x.reply(http.StatusOK, jsonType, []byte(text[:len(listStart)+100]))
}

func deepJSON(_ context.Context, x *exchange, f *Fault) (bool, error) {
	x.head(http.StatusOK, jsonType)
	if err := x.say(listStart); err != nil {
		return true, err
	}
	for _, bracket := range []string{"[", "]"} {
		if err := x.pour(bytes.Repeat([]byte(bracket), chunkSize), int64(f.Depth)); err != nil {
			return true, err
		}
	}
	return true, x.say("]}")
}

// bombMember is the decompressed size of one gzip member; a bomb is as many of them as it takes.
const bombMember = 4 << 20

// bomb is the parts of a GzipBomb: a list of nothing but white space, which compresses a thousandfold.
type bomb struct{ start, member, end []byte }

func newBomb() (bomb, error) {
	var b bomb
	var errs [3]error
	b.start, errs[0] = compress([]byte(listStart))
	b.member, errs[1] = compress(bytes.Repeat([]byte{' '}, bombMember))
	b.end, errs[2] = compress([]byte("]}"))
	return b, errors.Join(errs[:]...)
}

// gzipBomb does not ask whether the client accepts gzip.
func gzipBomb(_ context.Context, x *exchange, f *Fault) (bool, error) {
	b, err := x.fleet.bomb()
	if err != nil {
		return true, x.text(http.StatusInternalServerError, err.Error())
	}
	x.head(http.StatusOK, jsonType)
	x.w.Header()["Content-Encoding"] = []string{"gzip"}
	if err := x.say(string(b.start)); err != nil {
		return true, err
	}
	rounds := max(1, f.Bytes/bombMember)
	if err := x.pour(b.member, rounds*int64(len(b.member))); err != nil {
		return true, err
	}
	return true, x.say(string(b.end))
}

func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// reset cuts the connection after some bytes of a list, or before any answer.
func reset(_ context.Context, x *exchange, f *Fault) (bool, error) {
	if f.Bytes > 0 {
		x.head(http.StatusOK, jsonType)
		if err := x.say(listStart); err != nil {
			return true, err
		}
		if err := x.pour(x.filling(), f.Bytes); err != nil {
			return true, err
		}
		if err := http.NewResponseController(x.w).Flush(); err != nil {
			return true, err
		}
	}
	x.conn.reset()
	return true, nil
}

// takeOver gets the connection of an HTTP/1.1 request out of the hands of the server; false for HTTP/2. The context
// ends with the connection, and done returns it.
func (x *exchange) takeOver(ctx context.Context) (c net.Conn, ended context.Context, done func(), ok bool) {
	c, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return nil, nil, nil, false
	}
	ended, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer cancel()
		_, _ = io.Copy(io.Discard, c) // until the client leaves or the fleet drops the connection
	}()
	return c, ended, func() {
		_ = c.Close()
		<-gone
	}, true
}

// drip sends one byte an interval: over HTTP/1.1 from the status line on, over HTTP/2 of the body.
func drip(ctx context.Context, x *exchange, f *Fault) (bool, error) {
	c, ended, done, ok := x.takeOver(ctx)
	if ok {
		defer done()
		answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + listStart
		return true, trickle(ended, f, answer, func(b []byte) error {
			_, err := c.Write(b)
			return err
		})
	}
	x.head(http.StatusOK, jsonType)
	flusher := http.NewResponseController(x.w)
	return true, trickle(ctx, f, listStart, func(b []byte) error {
		if _, err := x.w.Write(b); err != nil {
			return err
		}
		return flusher.Flush()
	})
}

// trickle never comes to an end by itself: after the text there are spaces.
func trickle(ctx context.Context, f *Fault, text string, send func([]byte) error) error {
	for i := 0; ; i++ {
		b := []byte{' '}
		if i < len(text) {
			b[0] = text[i]
		}
		if err := send(b); err != nil {
			return err
		}
		if err := pause(ctx, f.Interval); err != nil {
			return err
		}
	}
}

// h2HeaderBytes is how much of headers EndlessHeaders sends over HTTP/2, where the server has to end them.
const h2HeaderBytes = 2 << 20

// endlessHeaders sends headers for ever over HTTP/1.1, and far too many over HTTP/2.
func endlessHeaders(ctx context.Context, x *exchange, _ *Fault) (bool, error) {
	value := string(bytes.Repeat([]byte{'x'}, 4000))
	c, ended, done, ok := x.takeOver(ctx)
	if !ok {
		for i := range h2HeaderBytes / len(value) {
			x.w.Header()[fmt.Sprintf("X-Endless-%d", i)] = []string{value}
		}
		return true, x.text(http.StatusOK, "ok")
	}
	defer done()
	if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n"); err != nil {
		return true, err
	}
	for i := 0; ended.Err() == nil; i++ {
		if _, err := fmt.Fprintf(c, "X-Endless-%d: %s\r\n", i, value); err != nil {
			return true, err
		}
	}
	return true, ended.Err()
}
