package simulator_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// dialTLS opens a connection of its own, over HTTP/1.1.
func dialTLS(t *testing.T, c *client) *tls.Conn {
	t.Helper()
	conn, err := c.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func askRaw(t *testing.T, conn io.Writer, path, token string) {
	t.Helper()
	request := "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
}

// readRaw reads an answer to its end.
func readRaw(t *testing.T, conn io.Reader) (status int) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

func (c *client) address() string {
	u, err := url.Parse(c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	return u.Host
}

func (c *client) dial(ctx context.Context) (*tls.Conn, error) {
	dialer := tls.Dialer{Config: c.tls}
	conn, err := dialer.DialContext(ctx, "tcp", c.address())
	if err != nil {
		return nil, err
	}
	secured, _ := conn.(*tls.Conn)
	return secured, nil
}

func deadline(t *testing.T, conn net.Conn, d time.Duration) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

// nextFrame skips acknowledgements.
func nextFrame(t *testing.T, framer *http2.Framer) http2.Frame {
	t.Helper()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); !ok || !settings.IsAck() {
			return frame
		}
	}
}
