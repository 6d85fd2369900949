package server_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/server"
)

const (
	benchWatchers    = 1000
	benchConnections = 10
	benchClusters    = 200
	benchInterval    = 50 * time.Millisecond
)

// BenchmarkWatch1000 makes 20 changes a second and delivers each to 1,000 watchers on 10 connections. Callers are in the
// same process and do not decode what they get. The floor sends the same bytes on the same streams and does nothing else.
//
//	go test ./internal/server -run '^$' -bench Watch1000 -benchtime 200x
func BenchmarkWatch1000(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		f := &floor{hub: broadcast.New[*grpc.PreparedMsg]()}
		s := grpc.NewServer()
		fleetv1.RegisterHealthServiceServer(s, f)
		address := listen(b, s.Serve)
		b.Cleanup(s.Stop)
		b.Cleanup(f.hub.Close)
		measureWatch(b, address, 1, func(i int) { f.send(b, i) })
	})
	b.Run("watch", func(b *testing.B) {
		names := make([]string, benchClusters)
		m := newMonitor()
		for i := range names {
			names[i] = fmt.Sprintf("c%04d", i)
			m.publish(failing(names[i]))
		}
		s, err := server.New(fleettest.Of(b, virtual(names...), fleet.Options{}), server.Options{Monitor: m})
		if err != nil {
			b.Fatal(err)
		}
		address := listen(b, s.Serve)
		b.Cleanup(func() {
			if err := s.Shutdown(); err != nil {
				b.Error(err)
			}
		})
		b.Cleanup(m.hub.Close)
		measureWatch(b, address, benchClusters+2, func(i int) { m.publish(failing(names[i%benchClusters])) })
	})
}

// floor sends what was encoded before.
type floor struct {
	fleetv1.UnimplementedHealthServiceServer

	hub    *broadcast.Hub[*grpc.PreparedMsg]
	first  sync.Once
	stream grpc.ServerStream
}

func (f *floor) WatchClusterHealth(_ *fleetv1.WatchClusterHealthRequest, stream grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]) error {
	f.first.Do(func() { f.stream = stream })
	s := f.hub.Subscribe(nil, broadcast.Token{})
	if err := stream.Send(&fleetv1.WatchClusterHealthResponse{}); err != nil {
		return err
	}
	for {
		events, err := s.Next(stream.Context(), 1)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := stream.SendMsg(e.Value); err != nil {
				return err
			}
		}
	}
}

func (f *floor) send(b *testing.B, i int) {
	message := &grpc.PreparedMsg{}
	if err := message.Encode(f.stream, changedMessage(failing(fmt.Sprintf("c%04d", i%benchClusters)))); err != nil {
		b.Fatal(err)
	}
	f.hub.Publish(fmt.Sprint(i%benchClusters), message)
}

func listen(b *testing.B, serve func(net.Listener) error) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	b.Cleanup(func() {
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			b.Error(err)
		}
	})
	return listener.Addr().String()
}

// measureWatch opens the watches, awaits the messages that come before changes, and measures.
func measureWatch(b *testing.B, address string, before int, change func(i int)) {
	var mu sync.Mutex
	var latencies []time.Duration
	published := make([]time.Time, 0, b.N)
	var ready, watching, delivered sync.WaitGroup
	ready.Add(benchWatchers)
	defer watching.Wait()
	for c := range benchConnections {
		conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(blind{})))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		for range benchWatchers / benchConnections {
			watching.Go(func() {
				stream, err := fleetv1.NewHealthServiceClient(conn).WatchClusterHealth(b.Context(), &fleetv1.WatchClusterHealthRequest{})
				if err != nil {
					b.Errorf("connection %d: %v", c, err)
					return
				}
				got := &fleetv1.WatchClusterHealthResponse{}
				for i := range before {
					if err := stream.RecvMsg(got); err != nil {
						b.Errorf("message %d: %v", i, err)
						return
					}
				}
				ready.Done()
				for i := 0; stream.RecvMsg(got) == nil; i++ {
					at := time.Now()
					mu.Lock()
					latencies = append(latencies, at.Sub(published[i]))
					mu.Unlock()
					delivered.Done()
				}
			})
		}
	}
	ready.Wait()
	tick := time.NewTicker(benchInterval)
	defer tick.Stop()
	used := cpu(b)
	i := 0
	for b.Loop() {
		<-tick.C
		delivered.Add(benchWatchers)
		mu.Lock()
		published = append(published, time.Now())
		mu.Unlock()
		change(i)
		i++
	}
	delivered.Wait()
	slices.Sort(latencies)
	b.ReportMetric(float64((cpu(b)-used).Microseconds())/float64(len(latencies)), "µs-cpu/delivery")
	b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(latencies[len(latencies)/2].Microseconds())/1000, "ms-p50")
}

// cpu is the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// blind is the codec of a caller who does not look at what it gets.
type blind struct{}

func (blind) Marshal(v any) (mem.BufferSlice, error) {
	bytes, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(bytes)}, err
}

func (blind) Unmarshal(mem.BufferSlice, any) error { return nil }
func (blind) Name() string                         { return "proto" }
