package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// tellInterval is the time between changes: about that of the restless fleet.
const tellInterval = 50 * time.Millisecond

// teller is the floor of whoever tells watchers of changes: bare gRPC streams, a goroutine each, to each of which it hands
// the same encoded message. It knows no clusters. A round serves until the process is told to end.
type teller struct {
	fleetv1.UnimplementedHealthServiceServer

	job     job
	mu      sync.Mutex
	streams map[chan *grpc.PreparedMsg]grpc.ServerStream
}

func (t *teller) Prepare(context.Context) error {
	t.streams = map[chan *grpc.PreparedMsg]grpc.ServerStream{}
	return nil
}

func (t *teller) Round(ctx context.Context) (operations int, err error) {
	listener, err := net.Listen("tcp", t.job.Aggregator)
	if err != nil {
		return 0, err
	}
	s := grpc.NewServer()
	fleetv1.RegisterHealthServiceServer(s, t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	ticker := time.NewTicker(tellInterval)
	defer ticker.Stop()
	for {
		select {
		case err := <-served:
			return operations, err
		case <-ctx.Done():
			s.Stop()
			return operations, <-served
		case <-ticker.C:
			operations++
			if err := t.tell(operations); err != nil {
				return operations, err
			}
		}
	}
}

// tell hands a change to every stream. One that has not sent its last one yet misses it.
func (t *teller) tell(change int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	message := &grpc.PreparedMsg{}
	encoded := false
	for queue, stream := range t.streams {
		if !encoded {
			if err := message.Encode(stream, changeMessage(change)); err != nil {
				return err
			}
			encoded = true
		}
		select {
		case queue <- message:
		default:
		}
	}
	return nil
}

// changeMessage is about what an aggregator says of a change of a simulated cluster.
func changeMessage(change int) *fleetv1.WatchClusterHealthResponse {
	now, took := timestamppb.Now(), durationpb.New(12345*time.Microsecond)
	return &fleetv1.WatchClusterHealthResponse{
		ResumeToken: fmt.Sprintf("%022d", change),
		Event: &fleetv1.WatchClusterHealthResponse_Changed{Changed: &fleetv1.ClusterHealth{
			Cluster:    fmt.Sprintf("sim-%04d", change%250),
			Labels:     map[string]string{"env": "prod", "region": "eu-west-1", "tier": "platform"},
			State:      fleetv1.Verdict_STATE_DEGRADED,
			KnownState: fleetv1.Verdict_STATE_DEGRADED,
			Since:      now,
			Observation: &fleetv1.Observation{
				ObservedAt: now,
				Verdict: &fleetv1.Verdict{
					State: fleetv1.Verdict_STATE_DEGRADED, Reason: fleetv1.Verdict_REASON_SERVER_ERROR, Blame: fleetv1.Verdict_BLAME_CONTROL_PLANE,
					Message: "GET /readyz: 503 Service Unavailable: the server said what is wrong with it, in a line or two",
					Hint:    "look at the API server's own log",
				},
			},
			Latency: &fleetv1.Latency{P50: took, P90: took, P99: took, Probes: 100},
		}},
	}
}

// WatchClusterHealth sends what the stream's queue brings.
func (t *teller) WatchClusterHealth(_ *fleetv1.WatchClusterHealthRequest, stream grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]) error {
	synced := &fleetv1.WatchClusterHealthResponse{Event: &fleetv1.WatchClusterHealthResponse_Synced_{Synced: &fleetv1.WatchClusterHealthResponse_Synced{}}}
	if err := stream.Send(synced); err != nil {
		return err
	}
	queue := make(chan *grpc.PreparedMsg, 1)
	t.mu.Lock()
	t.streams[queue] = stream
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.streams, queue)
	}()
	for {
		select {
		case message := <-queue:
			if err := stream.SendMsg(message); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
