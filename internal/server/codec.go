package server

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// encoded is a message that is encoded already.
type encoded interface {
	// buffers returns the message, once for each sending. gRPC gives them up when it was written.
	buffers() mem.BufferSlice
}

// codec is gRPC's own, but for messages that are encoded already.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Marshal encodes a message.
func (c codec) Marshal(message any) (mem.BufferSlice, error) {
	if m, ok := message.(encoded); ok {
		return m.buffers(), nil
	}
	return c.CodecV2.Marshal(message)
}
