package main

import (
	"context"
	"fmt"
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
	if err := wait(); err != nil { // until the first probes are over
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
	watched, err := a.during(wait)
	if err != nil {
		return nil, err
	}
	told := c.reset()
	left, err := a.neverRead(ctx, connections, stalled)
	if err != nil {
		return nil, err
	}
	defer left()
	beside, err := a.during(wait)
	if err != nil {
		return nil, err
	}
	toldBeside := c.reset()
	left()
	c.leave()
	a.kill()
	floor, err := b.tellingFloor(ctx, connections, watchers, period)
	if err != nil {
		return nil, err
	}
	if len(told) == 0 || len(toldBeside) == 0 {
		return nil, a.process.Failed(fmt.Errorf("nothing changed: %d and %d deliveries", len(told), len(toldBeside)))
	}
	work := fmt.Sprintf("%d watchers on %d connections: ", watchers, connections)
	perDelivery := (watched.CPU - alone.CPU) / time.Duration(len(told))
	return []report.Row{{
		Number: 8,
		Work:   work + "CPU of the aggregator a delivery",
		Ours:   report.Duration(perDelivery),
		Floor:  report.Duration(floor),
		Target: report.AtMost(report.Duration(6 * time.Microsecond)),
		Notes: []string{fmt.Sprintf("the floor is bare gRPC streams with a goroutine each, to which the same encoded message is handed; "+
			"%.0f changes a second; without watchers the aggregator took %v in %v, with them %v",
			float64(len(told))/float64(watchers)/period.Seconds(), alone.CPU, period, watched.CPU)},
	}, {
		Number: 8,
		Work:   work + "from the first who is told of a change to the others, p99",
		Ours:   report.Duration(quantile(told, 0.99)),
		Target: report.AtMost(report.Duration(25 * time.Millisecond)),
	}, {
		Number: 8,
		Work:   fmt.Sprintf("the same beside %d watchers that never read, p99", stalled),
		Ours:   report.Duration(quantile(toldBeside, 0.99)),
		Target: report.AtMost(report.Duration(25 * time.Millisecond)),
		Notes:  []string{fmt.Sprintf("peak RSS %s, before them %s", report.Bytes(beside.PeakRSS), report.Bytes(watched.PeakRSS))},
	}, {
		Work:   fmt.Sprintf("peak RSS that the %d add", stalled),
		Ours:   report.Bytes(beside.PeakRSS - watched.PeakRSS),
		Target: report.AtMost(report.Bytes(210e6)),
	}}, nil
}

// restlessFleet starts clusters of which most come and go, some 20 changes a second in all. It must be ended with Kill.
func (b *bench) restlessFleet(ctx context.Context) (*simulated.Fleet, error) {
	const groups, period = 20, 40
	var rules strings.Builder
	rules.WriteString("faults:\n")
	for i := range groups {
		fmt.Fprintf(&rules, "- {clusters: 4%%, fault: flap, as: error-503, period: %ds, from: %ds}\n", period, i*period/groups)
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

// neverRead opens watches and reads none of them, until left is called.
func (a *aggregator) neverRead(ctx context.Context, connections, watchers int) (left func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var conns []*grpc.ClientConn
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
			if _, err := fleetv1.NewHealthServiceClient(conn).WatchClusterHealth(ctx, &fleetv1.WatchClusterHealthRequest{}); err != nil {
				left()
				return nil, err
			}
		}
	}
	return left, nil
}

// quantile sorts the durations.
func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}
