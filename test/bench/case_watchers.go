package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/bench/internal/report"
)

// benchWatchers measures what it costs to tell many callers of every change, and whether callers that never read delay the
// others.
func benchWatchers(ctx context.Context, b *bench) ([]report.Row, error) {
	const connections = 10
	watchers, stalled := pick(b, 1000, 50), pick(b, 500, 20)
	period := pick(b, 30*time.Second, 10*time.Second)
	fleet, err := b.restlessFleet(ctx)
	if err != nil {
		return nil, err
	}
	a, err := b.aggregator(ctx, fleet, 10*time.Second)
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
	c, err := a.crowd(ctx, connections, watchers)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	watched, err := a.during(wait)
	if err != nil {
		return nil, err
	}
	told := c.reset()
	idle, err := a.crowd(ctx, connections, 0)
	if err != nil {
		return nil, err
	}
	defer idle.leave()
	for i := range stalled {
		if _, err := idle.open(ctx, i); err != nil {
			return nil, err
		}
	}
	beside, err := a.during(wait)
	if err != nil {
		return nil, err
	}
	toldBeside := c.reset()
	if len(told) == 0 || len(toldBeside) == 0 {
		return nil, a.process.Failed(fmt.Errorf("nothing changed: %d and %d deliveries", len(told), len(toldBeside)))
	}
	work := fmt.Sprintf("%d watchers on %d connections: ", watchers, connections)
	perDelivery := (watched.CPU - alone.CPU) / time.Duration(len(told))
	return []report.Row{{
		Work:   work + "CPU of the aggregator a delivery",
		Ours:   report.Duration(perDelivery),
		Target: report.AtMost(report.Duration(6 * time.Microsecond)),
		Notes: []string{fmt.Sprintf("%.0f changes a second; without watchers the aggregator took %v in %v, with them %v",
			float64(len(told))/float64(watchers)/period.Seconds(), alone.CPU, period, watched.CPU)},
	}, {
		Work:   work + "from the first who is told of a change to the others, p99",
		Ours:   report.Duration(quantile(told, 0.99)),
		Target: report.AtMost(report.Duration(25 * time.Millisecond)),
	}, {
		Work:   fmt.Sprintf("the same beside %d watchers that never read, p99", stalled),
		Ours:   report.Duration(quantile(toldBeside, 0.99)),
		Target: report.AtMost(report.Duration(time.Second)),
		Notes:  []string{fmt.Sprintf("peak RSS %s, before them %s", report.Bytes(beside.PeakRSS), report.Bytes(watched.PeakRSS))},
	}, {
		Work:   fmt.Sprintf("peak RSS that the %d add", stalled),
		Ours:   report.Bytes(beside.PeakRSS - watched.PeakRSS),
		Target: report.AtMost(report.Bytes(200 << 20)),
	}}, nil
}

// restlessFleet starts clusters of which most come and go, some 20 changes a second in all, and returns their kubeconfig.
func (b *bench) restlessFleet(ctx context.Context) (kubeconfig string, err error) {
	const groups, period = 20, 40
	var rules strings.Builder
	rules.WriteString("faults:\n")
	for i := range groups {
		fmt.Fprintf(&rules, "- {clusters: 4%%, fault: flap, as: error-503, period: %ds, from: %ds}\n", period, i*period/groups)
	}
	file := filepath.Join(b.folder, "restless.yaml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		return "", err
	}
	fleet, err := b.fleet(ctx, 250, "--scenario", file)
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, fleet.Kill)
	return fleet.Kubeconfig, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// crowd are callers that watch.
type crowd struct {
	conns []*grpc.ClientConn
	stop  context.CancelFunc
	group sync.WaitGroup
	// behind are those who have not been told all that was known when they came.
	behind sync.WaitGroup

	mu    sync.Mutex
	first map[string]time.Time // by resume token: when the first was told
	late  []time.Duration      // each delivery's time after the first
}

// crowd opens watches, spread over connections, and reads them. It returns when all know what there is to know. Those that
// are opened later are not read.
func (a *aggregator) crowd(ctx context.Context, connections, watchers int) (*crowd, error) {
	c := &crowd{first: map[string]time.Time{}}
	for range connections {
		conn, err := dial(a.grpc)
		if err != nil {
			return nil, err
		}
		c.conns = append(c.conns, conn)
	}
	ctx, c.stop = context.WithCancel(ctx)
	for i := range watchers {
		stream, err := c.open(ctx, i)
		if err != nil {
			c.leave()
			return nil, err
		}
		c.behind.Add(1)
		c.group.Go(func() { c.read(stream) })
	}
	c.behind.Wait()
	return c, nil
}

func (c *crowd) open(ctx context.Context, i int) (grpc.ServerStreamingClient[fleetv1.WatchClusterHealthResponse], error) {
	client := fleetv1.NewHealthServiceClient(c.conns[i%len(c.conns)])
	return client.WatchClusterHealth(ctx, &fleetv1.WatchClusterHealthRequest{})
}

// read notes when each change comes, once the snapshot is over.
func (c *crowd) read(stream grpc.ServerStreamingClient[fleetv1.WatchClusterHealthResponse]) {
	caughtUp := sync.OnceFunc(c.behind.Done)
	defer caughtUp()
	synced := false
	for {
		event, err := stream.Recv()
		if err != nil {
			return
		}
		if synced {
			c.note(event.GetResumeToken(), time.Now())
		}
		if event.GetSynced() != nil {
			synced = true
			caughtUp()
		}
	}
}

func (c *crowd) note(token string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, known := c.first[token]
	if !known {
		c.first[token], first = now, now
	}
	c.late = append(c.late, now.Sub(first))
}

// reset returns what was noted, and begins anew.
func (c *crowd) reset() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	late := c.late
	c.late, c.first = nil, map[string]time.Time{}
	return late
}

func (c *crowd) leave() {
	c.stop()
	for _, conn := range c.conns {
		_ = conn.Close() // it is a client's connection
	}
	c.group.Wait()
}

// quantile sorts the durations.
func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}
