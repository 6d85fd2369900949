package server

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

const (
	// keptDeliveries is how many encoded events are kept. It bounds the memory to some 10 MiB.
	keptDeliveries = 4096
	// maxDeliveryAge is how old one may be that is sent: it tells the age of an observation when it was encoded.
	maxDeliveryAge = time.Second
)

// delivery is an event, encoded once for all who get it. That is right as long as no compressor is registered with gRPC,
// for then all streams encode alike.
type delivery struct {
	prepared grpc.PreparedMsg
	token    string
}

// GetResumeToken returns the token of the event.
func (d *delivery) GetResumeToken() string { return d.token }

// deliveries keeps the encoded events of the latest revisions.
type deliveries struct {
	kept [keptDeliveries]atomic.Pointer[encoding]
}

// encoding is an event that is encoded by the first who needs it.
type encoding struct {
	index  uint64 // of the event: twice the revision, and 1 more where it is a removal
	at     time.Time
	encode func() (*delivery, error)
}

// get returns what is sent for an event, encoded as for stream.
func (d *deliveries) get(event broadcast.Event[*health.Record], token broadcast.Token, stream grpc.ServerStream) (*delivery, error) {
	index := event.Revision * 2
	if event.Removed {
		index++
	}
	kept := &d.kept[index%keptDeliveries]
	for {
		e := kept.Load()
		if e != nil && e.index == index && time.Since(e.at) <= maxDeliveryAge {
			return e.encode()
		}
		made := &encoding{index: index, at: time.Now()}
		made.encode = sync.OnceValues(func() (*delivery, error) { return encode(event, token.String(), stream) })
		if kept.CompareAndSwap(e, made) {
			return made.encode()
		}
	}
}

func encode(event broadcast.Event[*health.Record], token string, stream grpc.ServerStream) (*delivery, error) {
	message := &fleetv1.WatchClusterHealthResponse{ResumeToken: token}
	if event.Removed {
		message.Event = &fleetv1.WatchClusterHealthResponse_Removed_{Removed: &fleetv1.WatchClusterHealthResponse_Removed{Cluster: event.Key}}
	} else {
		message.Event = &fleetv1.WatchClusterHealthResponse_Changed{Changed: clusterHealth(event.Value)}
	}
	d := &delivery{token: token}
	if err := d.prepared.Encode(stream, message); err != nil {
		return nil, err
	}
	return d, nil
}
