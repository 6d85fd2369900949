package simulator

import (
	"bytes"
	"crypto/tls"
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// linger reads until the client leaves: closing earlier would discard what it has not read yet.
func linger(c *conn) {
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}

// lingerOn accepts a connection and does no more.
func lingerOn(_ *Fleet, c *conn) { linger(c) }

func greetWithGarbage(_ *Fleet, c *conn) {
	_, _ = io.WriteString(c, "\x00\x01\x02 this is not TLS \xff\xfe\r\n")
	linger(c)
}

// greetH2 speaks TLS as the cluster does, offers HTTP/2 alone, and then misbehaves in its frames. A client that speaks
// no HTTP/2 fails in the handshake.
func greetH2(misbehave func(*http2.Framer)) greeter {
	return func(f *Fleet, c *conn) {
		defer linger(c)
		config := f.tlsFaulty.Clone()
		config.NextProtos = []string{"h2"}
		secured := tls.Server(c, config)
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(secured, preface); err != nil {
			return
		}
		framer := http2.NewFramer(secured, secured)
		misbehave(framer)
		_, _ = io.Copy(io.Discard, secured)
	}
}

func zeroFrameSize(framer *http2.Framer) {
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 0})
}

// stormLength is how many GOAWAY frames follow the first request of a connection.
const stormLength = 1000

// goAwayStorm disowns the first request of every connection, which invites clients to make another connection for it.
func goAwayStorm(framer *http2.Framer) {
	if _, ok := awaitHeaders(framer); !ok {
		return
	}
	for range stormLength {
		if framer.WriteGoAway(0, http2.ErrCodeNo, nil) != nil {
			return
		}
	}
}

func continuationFlood(framer *http2.Framer) {
	stream, ok := awaitHeaders(framer)
	if !ok {
		return
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	field := hpack.HeaderField{Name: "x-flood", Value: string(bytes.Repeat([]byte{'~'}, 1000)), Sensitive: true}
	for block.Len() < 8000 {
		if encoder.WriteField(field) != nil {
			return
		}
	}
	if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes()}) != nil {
		return
	}
	for framer.WriteContinuation(stream, false, block.Bytes()) == nil {
	}
}

// awaitHeaders exchanges settings and returns the stream of the first request.
func awaitHeaders(framer *http2.Framer) (stream uint32, ok bool) {
	if framer.WriteSettings() != nil {
		return 0, false
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return 0, false
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			return frame.StreamID, true
		case *http2.SettingsFrame:
			if !frame.IsAck() && framer.WriteSettingsAck() != nil {
				return 0, false
			}
		}
	}
}
