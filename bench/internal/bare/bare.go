// Package bare asks API servers with nothing but a TLS connection each: it writes the same bytes and reads until the
// answer is there. It is the floor that a program in Go can be held against; it understands nothing of what it reads.
package bare

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"k8s.io/client-go/rest"
)

// answerBytes bounds the answer to a bare request.
const answerBytes = 4 << 10

// Conn is a kept-alive connection to one API server. It is for one goroutine at a time.
type Conn struct {
	conn    net.Conn
	request []byte
	buffer  [answerBytes]byte
}

// Dial connects to the API server of a configuration with a certificate authority and a token, and gets ready to ask
// for path with these header lines, each ended by CRLF.
func Dial(ctx context.Context, config *rest.Config, path, header string) (*Conn, error) {
	base, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	secure, err := TLS(config)
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{Config: secure}
	conn, err := dialer.DialContext(ctx, "tcp", base.Host)
	if err != nil {
		return nil, err
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%sAuthorization: Bearer %s\r\n\r\n", path, base.Host, header, config.BearerToken)
	return &Conn{conn: conn, request: []byte(request)}, nil
}

// TLS returns the TLS configuration of a client that speaks HTTP/1.1.
func TLS(config *rest.Config) (*tls.Config, error) {
	base, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(config.CAData) {
		return nil, errors.New("the configuration has no certificate authority")
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: config.ServerName, NextProtos: []string{"http/1.1"}}
	if secure.ServerName == "" {
		secure.ServerName = base.Hostname()
	}
	return secure, nil
}

// Send writes the request.
func (c *Conn) Send() error {
	_, err := c.conn.Write(c.request)
	return err
}

// Ask writes the request and reads the answer. An answer that is not a 200 with a Content-Length is an error.
func (c *Conn) Ask() error {
	if err := c.Send(); err != nil {
		return err
	}
	for have := 0; have < len(c.buffer); {
		n, err := c.conn.Read(c.buffer[have:])
		if err != nil {
			return err
		}
		have += n
		if whole, err := complete(c.buffer[:have]); whole || err != nil {
			return err
		}
	}
	return errors.New("the answer is too long")
}

// Close closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// complete reports whether an answer is there as a whole.
func complete(answer []byte) (bool, error) {
	header, body, found := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !found {
		return false, nil
	}
	if !bytes.HasPrefix(header, []byte("HTTP/1.1 200 ")) {
		line, _, _ := bytes.Cut(header, []byte("\r\n"))
		return false, fmt.Errorf("the server answered %q", line)
	}
	_, rest, found := bytes.Cut(header, []byte("\r\nContent-Length: "))
	if !found {
		return false, errors.New("the answer has no Content-Length")
	}
	digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	length, err := strconv.Atoi(string(digits))
	return len(body) >= length, err
}
