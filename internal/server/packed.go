package server

import (
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// packed is a message that is written to the caller once. It has to be sent, or its memory is not used again.
type packed struct{ data *[]byte }

func (p packed) buffers() mem.BufferSlice {
	return mem.BufferSlice{mem.NewBuffer(p.data, &wireBuffers)}
}

// The numbers of the fields that are written by hand; a test holds them against the API.
const (
	batchField                                       protowire.Number = 2 // of FetchManifestsResponse
	manifestsField                                   protowire.Number = 4 // of ManifestBatch
	namespaceField, nameField, jsonField, printField protowire.Number = 1, 2, 3, 4
)

// pack makes a FetchManifestsResponse of a batch. Its objects are copied once, into the message: as messages of their own
// they would be copied and looked at three times.
func pack(batch *fleet.Batch) (packed, error) {
	head := &fleetv1.ManifestBatch{
		Cluster:    batch.Cluster,
		ApiVersion: batch.APIVersion,
		Kind:       batch.Kind,
		Table:      table(batch),
		Completion: completion(batch.End),
	}
	size := proto.Size(head)
	for i := range batch.Items {
		size += protowire.SizeTag(manifestsField) + protowire.SizeBytes(manifestSize(&batch.Items[i]))
	}
	data := wireBuffers.Get(protowire.SizeTag(batchField) + protowire.SizeBytes(size))
	b := protowire.AppendTag((*data)[:0], batchField, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size)) //nolint:gosec // no size is negative
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, head)
	if err != nil {
		wireBuffers.Put(data)
		return packed{}, err
	}
	for i := range batch.Items {
		b = appendManifest(b, &batch.Items[i])
	}
	*data = b
	return packed{data}, nil
}

func manifestSize(item *fleet.Item) int {
	return fieldSize(namespaceField, len(item.Namespace)) + fieldSize(nameField, len(item.Name)) +
		fieldSize(jsonField, len(item.JSON)) + fieldSize(printField, len(item.Projection))
}

// fieldSize is that of a text; an empty one is left out.
func fieldSize(number protowire.Number, size int) int {
	if size == 0 {
		return 0
	}
	return protowire.SizeTag(number) + protowire.SizeBytes(size)
}

func appendManifest(b []byte, item *fleet.Item) []byte {
	b = protowire.AppendTag(b, manifestsField, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(manifestSize(item))) //nolint:gosec // no size is negative
	b = appendText(b, namespaceField, item.Namespace)
	b = appendText(b, nameField, item.Name)
	if len(item.JSON) > 0 {
		b = protowire.AppendTag(b, jsonField, protowire.BytesType)
		b = protowire.AppendBytes(b, item.JSON)
	}
	return appendText(b, printField, item.Projection)
}

func appendText(b []byte, number protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), text)
}

// wireBuffers keeps buffers of messages that were written. Those of single large objects are not kept.
var wireBuffers bufferPool //nolint:gochecknoglobals // memory that is nobody's

// pooledBytes has room for a full batch and what stands around its objects.
const pooledBytes = 320 << 10

type bufferPool struct{ free sync.Pool }

// Get returns a buffer of that length.
func (p *bufferPool) Get(length int) *[]byte {
	if length <= pooledBytes {
		if b, ok := p.free.Get().(*[]byte); ok {
			*b = (*b)[:length]
			return b
		}
	}
	b := make([]byte, length, max(length, pooledBytes))
	return &b
}

// Put takes a buffer back.
func (p *bufferPool) Put(b *[]byte) {
	if cap(*b) == pooledBytes {
		p.free.Put(b)
	}
}
