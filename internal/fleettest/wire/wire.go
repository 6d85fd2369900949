// Package wire calls gRPC servers with as little work as possible: who measures what a server does for thousands of callers
// on the same machine should not measure these callers. It knows no flow control but a window that is never full, and no
// message that does not fit into one frame.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	window     = 1 << 30
	prefixSize = 5 // of a message: a flag and its length
)

// Conn is a connection in plaintext with calls under way. Its methods are for one goroutine, but for Close.
type Conn struct {
	conn   net.Conn
	framer *http2.Framer
}

// Open begins that many calls of a method, all with an empty request.
func Open(ctx context.Context, address, method string, calls int) (*Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, framer: http2.NewFramer(conn, bufio.NewReaderSize(conn, 64<<10))}
	c.framer.SetReuseFrames()
	if err := c.open(method, calls); err != nil {
		_ = conn.Close() // there is an error to tell already
		return nil, err
	}
	return c, nil
}

func (c *Conn) open(method string, calls int) error {
	if _, err := io.WriteString(c.conn, http2.ClientPreface); err != nil {
		return err
	}
	settings := http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}
	if err := errors.Join(c.framer.WriteSettings(settings), c.framer.WriteWindowUpdate(0, window)); err != nil {
		return err
	}
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for i := range calls {
		headers.Reset()
		for _, f := range []hpack.HeaderField{
			{Name: ":method", Value: "POST"},
			{Name: ":scheme", Value: "http"},
			{Name: ":path", Value: method},
			{Name: ":authority", Value: "fleet"},
			{Name: "content-type", Value: "application/grpc"},
			{Name: "te", Value: "trailers"},
		} {
			if err := encoder.WriteField(f); err != nil {
				return err
			}
		}
		id := uint32(2*i + 1)
		begin := http2.HeadersFrameParam{StreamID: id, BlockFragment: headers.Bytes(), EndHeaders: true}
		if err := errors.Join(c.framer.WriteHeaders(begin), c.framer.WriteData(id, true, make([]byte, prefixSize))); err != nil {
			return err
		}
	}
	return nil
}

// Next returns the next message of any of the calls, and which call it is of, from 0. The message is valid until the next
// call. A call that ends is an error, as is the end of the connection.
func (c *Conn) Next() (call int, message []byte, err error) {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return 0, nil, err
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = c.framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				err = c.framer.WritePing(true, f.Data)
			}
		case *http2.DataFrame:
			message, err := whole(f.Data())
			return int(f.StreamID-1) / 2, message, err
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			err = fmt.Errorf("the server ended a call: %v", f)
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				err = errors.New("the server ended a call")
			}
		}
		if err != nil {
			return 0, nil, err
		}
	}
}

// whole returns the message that a frame holds.
func whole(data []byte) ([]byte, error) {
	if len(data) < prefixSize || data[0] != 0 || int(binary.BigEndian.Uint32(data[1:])) != len(data)-prefixSize {
		return nil, errors.New("a frame that is not one message")
	}
	return data[prefixSize:], nil
}

// Close ends all calls.
func (c *Conn) Close() error { return c.conn.Close() }
