package server

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// encoder is a message that is not one of protobuf's, or not yet, and knows how it is encoded.
type encoder interface {
	// encode returns the message. gRPC gives the buffers up when it was written.
	encode() (mem.BufferSlice, error)
}

// codec is gRPC's own, but for messages that know better.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Marshal encodes a message.
func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	if m, ok := message.(encoder); ok {
		return m.encode()
	}
	return c.CodecV2.Marshal(message)
}
