package server

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

const (
	// keptDeliveries is how many encoded events are kept. It bounds the memory to some 3 MiB.
	keptDeliveries = 1024
	// maxDeliveryAge is how old one may be that is sent: it tells the age of an observation when it was encoded.
	maxDeliveryAge = time.Second
)

// delivery is an event, encoded once for all who get it.
type delivery struct {
	data  []byte
	token string
}

// GetResumeToken returns the token of the event.
func (d *delivery) GetResumeToken() string { return d.token }

// deliveries keeps the encoded events of the latest revisions.
type deliveries struct {
	kept [keptDeliveries]atomic.Pointer[prepared]
}

// prepared is an event that is encoded by the first who needs it.
type prepared struct {
	index  uint64 // of the event: twice the revision, and 1 more where it is a removal
	at     time.Time
	encode func() (*delivery, error)
}

// get returns what is sent for an event. It is called at the time now.
func (d *deliveries) get(event broadcast.Event[*health.Record], token broadcast.Token, now time.Time) (*delivery, error) {
	index := event.Revision * 2
	if event.Removed {
		index++
	}
	kept := &d.kept[index%keptDeliveries]
	for {
		e := kept.Load()
		if e != nil && e.index == index && now.Sub(e.at) <= maxDeliveryAge {
			return e.encode()
		}
		made := &prepared{index: index, at: now}
		made.encode = sync.OnceValues(func() (*delivery, error) { return encode(event, token.String()) })
		if kept.CompareAndSwap(e, made) {
			return made.encode()
		}
	}
}

// forget lets go of all that is kept, when nobody is left to be told.
func (d *deliveries) forget() {
	for i := range d.kept {
		d.kept[i].Store(nil)
	}
}

// leastCapacity makes gRPC tell when the bytes were written: smaller ones it takes for not worth it.
const leastCapacity = 2 << 10

func encode(event broadcast.Event[*health.Record], token string) (*delivery, error) {
	message := &fleetv1.WatchClusterHealthResponse{ResumeToken: token}
	if event.Removed {
		message.Event = &fleetv1.WatchClusterHealthResponse_Removed_{Removed: &fleetv1.WatchClusterHealthResponse_Removed{Cluster: event.Key}}
	} else {
		message.Event = &fleetv1.WatchClusterHealthResponse_Changed{Changed: clusterHealth(event.Value)}
	}
	data, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, 0, leastCapacity), message)
	if err != nil {
		return nil, err
	}
	return &delivery{data: data, token: token}, nil
}
