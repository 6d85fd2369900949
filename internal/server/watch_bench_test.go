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

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/wire"
	"github.com/clusterfleet/clusterfleet/internal/server"
)

const (
	benchWatchers    = 1000
	benchConnections = 10
	benchClusters    = 200
	benchInterval    = 50 * time.Millisecond
)

// BenchmarkWatch1000 makes 20 changes a second and delivers each to 1,000 watchers on 10 connections. The
// callers are in the same process, and do no more than count frames. The floor sends the same bytes on the same streams and does nothing else.
//
//	go test ./internal/server -run '^$' -bench Watch1000 -benchtime 200x
func BenchmarkWatch1000(b *testing.B) {
	names := make([]string, benchClusters)
	m := newMonitor()
	for i := range names {
		names[i] = fmt.Sprintf("c%04d", i)
		m.publish(failing(names[i]))
	}
	f := fleettest.Of(b, virtual(names...), fleet.Options{})
	b.Run("floor", func(b *testing.B) {
		page, err := fleetv1.NewHealthServiceClient(serve(b, f, server.Options{Monitor: m})).ListClusterHealth(b.Context(), &fleetv1.ListClusterHealthRequest{})
		if err != nil {
			b.Fatal(err)
		}
		f := &floor{hub: broadcast.New[*grpc.PreparedMsg]()}
		for _, c := range page.GetClusters() {
			event := &fleetv1.WatchClusterHealthResponse_Changed{Changed: c}
			f.messages = append(f.messages, &fleetv1.WatchClusterHealthResponse{Event: event, ResumeToken: "01234567890123456789012"})
		}
		s := grpc.NewServer()
		fleetv1.RegisterHealthServiceServer(s, f)
		address := listen(b, s.Serve)
		b.Cleanup(s.Stop)
		b.Cleanup(f.hub.Close)
		measureWatch(b, address, 1, func(i int) { f.send(b, i) })
	})
	b.Run("watch", func(b *testing.B) {
		s, err := server.New(f, server.Options{Monitor: m})
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

	hub      *broadcast.Hub[*grpc.PreparedMsg]
	messages []*fleetv1.WatchClusterHealthResponse // of each cluster
	first    sync.Once
	stream   grpc.ServerStream
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
	if err := message.Encode(f.stream, f.messages[i%benchClusters]); err != nil {
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
	m := &measurement{before: before}
	m.ready.Add(benchWatchers)
	var reading sync.WaitGroup
	b.Cleanup(reading.Wait)
	for range benchConnections {
		conn, err := wire.Open(b.Context(), address, fleetv1.HealthService_WatchClusterHealth_FullMethodName, benchWatchers/benchConnections)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		reading.Go(func() { m.read(conn) })
	}
	m.ready.Wait()
	tick := time.NewTicker(benchInterval)
	defer tick.Stop()
	used := cpu(b)
	i := 0
	for b.Loop() {
		<-tick.C
		m.publishing()
		change(i)
		i++
	}
	m.delivered.Wait()
	used = cpu(b) - used
	slices.Sort(m.latencies)
	n := len(m.latencies)
	b.ReportMetric(float64(used.Microseconds())/float64(n), "µs-cpu/delivery")
	b.ReportMetric(float64(m.latencies[n*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(m.latencies[n/2].Microseconds())/1000, "ms-p50")
}

// measurement is what the readers of all connections find.
type measurement struct {
	before           int
	ready, delivered sync.WaitGroup

	mu        sync.Mutex
	published []time.Time
	latencies []time.Duration
}

func (m *measurement) publishing() {
	m.delivered.Add(benchWatchers)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.published = append(m.published, time.Now())
}

// read counts the messages until the connection ends.
func (m *measurement) read(conn *wire.Conn) {
	got := make([]int, benchWatchers/benchConnections)
	for {
		call, _, err := conn.Next()
		if err != nil {
			return
		}
		got[call]++
		switch i := got[call] - m.before; {
		case i == 0:
			m.ready.Done()
		case i > 0:
			m.arrived(i - 1)
		}
	}
}

func (m *measurement) arrived(i int) {
	m.mu.Lock()
	m.latencies = append(m.latencies, time.Since(m.published[i]))
	m.mu.Unlock()
	m.delivered.Done()
}

// cpu is the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
