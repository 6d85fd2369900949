package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// benchWatchers measures what it costs to tell many callers of every change, and whether callers that never read delay the
// others.
func benchWatchers(ctx context.Context, b *bench) ([]report.Row, error) {
	const connections = 10
	watchers, stalled := pick(b, 1000, 50), pick(b, 500, 20)
	period := pick(b, 30*time.Second, 6*time.Second)
	fleet, err := b.restlessFleet(ctx)
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	a, err := b.aggregator(ctx, fleet.Kubeconfig, 10*time.Second)
	if err != nil {
		return nil, err
	}
	defer a.kill()
	wait := func() error { return pause(ctx, period) }
	// Until the first probes are over and, in full, all are restless.
	if err := pause(ctx, pick(b, restlessTime+10*time.Second, period)); err != nil {
		return nil, err
	}
	alone, err := a.during(wait)
	if err != nil {
		return nil, err
	}
	c, err := watches(ctx, a.grpc, connections, watchers)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	c.read(watchers)
	watched, err := a.tells(c, wait)
	if err != nil {
		return nil, err
	}
	left, err := a.neverRead(ctx, connections, stalled)
	if err != nil {
		return nil, err
	}
	defer left()
	beside, err := a.tells(c, wait)
	if err != nil {
		return nil, err
	}
	left()
	c.leave()
	a.kill()
	floor, err := b.tellingFloor(ctx, connections, watchers, period)
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("%d watchers on %d connections: ", watchers, connections)
	perDelivery := (watched.CPU - alone.CPU) / time.Duration(len(watched.late))
	return []report.Row{{
		Number: 8,
		Work:   work + "CPU of the aggregator a delivery",
		Ours:   report.Duration(perDelivery),
		Floor:  report.Duration(floor),
		Target: report.AtMost(report.Duration(6 * time.Microsecond)),
		Notes: []string{fmt.Sprintf("the floor is bare gRPC streams with a goroutine each, to which the same encoded message is handed; "+
			"%.0f changes a second; without watchers the aggregator took %v in %v, with them %v",
			float64(len(watched.late))/float64(watchers)/period.Seconds(), alone.CPU, period, watched.CPU)},
	}, {
		Number: 8,
		Work:   work + "from the first who is told of a change to the others, p99",
		Ours:   report.Duration(quantile(watched.late, 0.99)),
		Target: report.AtMost(report.Duration(25 * time.Millisecond)),
	}, {
		Number: 8,
		Work:   fmt.Sprintf("the same beside %d watchers that never read, p99", stalled),
		Ours:   report.Duration(quantile(beside.late, 0.99)),
		Target: report.AtMost(report.Duration(25 * time.Millisecond)),
	}, {
		Work:   fmt.Sprintf("RSS that the %d add, %v later", stalled, period),
		Ours:   report.Bytes(beside.rss - watched.rss),
		Target: report.AtMost(report.Bytes(210e6)),
		Notes: []string{fmt.Sprintf("resident at the end of the %v beside them %s, at the end of the %v before them %s; the peak since the start is %s",
			period, report.Bytes(beside.rss), period, report.Bytes(watched.rss), report.Bytes(beside.PeakRSS))},
	}}, nil
}

// restlessTime is how often a restless cluster goes and comes back, and how long it takes until all do.
const restlessTime = 40 * time.Second

// restlessFleet starts clusters of which most come and go, some 20 changes a second in all. It must be ended with Kill.
func (b *bench) restlessFleet(ctx context.Context) (*simulated.Fleet, error) {
	const groups = 20
	var rules strings.Builder
	rules.WriteString("faults:\n")
	for i := range groups {
		fmt.Fprintf(&rules, "- {clusters: 4%%, fault: flap, as: error-503, period: %v, from: %v}\n", restlessTime, time.Duration(i)*restlessTime/groups)
	}
	file := filepath.Join(b.folder, "restless.yaml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		return nil, err
	}
	return b.fleet(ctx, 250, "--scenario", file)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// neverRead opens watches and reads none of them, until left is called. It returns when the aggregator has begun to answer
// each.
func (a *aggregator) neverRead(ctx context.Context, connections, watchers int) (left func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var conns []*grpc.ClientConn
	var streams []grpc.ClientStream
	left = func() {
		cancel()
		for _, conn := range conns {
			_ = conn.Close() // it is a client's connection
		}
	}
	for range connections {
		conn, err := dial(a.grpc)
		if err != nil {
			left()
			return nil, err
		}
		conns = append(conns, conn)
		for range watchers / connections {
			stream, err := fleetv1.NewHealthServiceClient(conn).WatchClusterHealth(ctx, &fleetv1.WatchClusterHealthRequest{})
			if err != nil {
				left()
				return nil, err
			}
			streams = append(streams, stream)
		}
	}
	for _, stream := range streams {
		if header, err := stream.Header(); header == nil {
			left()
			return nil, a.process.Failed(fmt.Errorf("a watch that nobody reads was not answered: %w", cmp.Or(err, io.EOF)))
		}
	}
	return left, nil
}

// quantile sorts the durations.
func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}
