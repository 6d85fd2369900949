package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
)

// unwatched is the interval of an aggregator that asks no cluster by itself.
const unwatched = time.Duration(0)

// aggregator is the real program, in a process of its own.
type aggregator struct {
	process    *process.Process
	grpc, http string // addresses
	conn       *grpc.ClientConn
}

// serving is the line of the log that says where the aggregator listens.
type serving struct {
	Message string `json:"msg"`
	GRPC    string `json:"grpc"`
	HTTP    string `json:"http"`
}

// aggregator starts the aggregator on the clusters of a kubeconfig, watching them at the interval; 0: not at all. It must be
// ended with kill.
func (b *bench) aggregator(ctx context.Context, kubeconfig string, interval time.Duration) (*aggregator, error) {
	p, err := process.Start(ctx, b.folder, filepath.Join(b.programs, "aggregator"), "--kubeconfig", kubeconfig,
		"--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--log-format", "json", "--probe-interval", interval.String())
	if err != nil {
		return nil, err
	}
	a := &aggregator{process: p}
	if err := a.connect(ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return a, nil
}

func (a *aggregator) connect(ctx context.Context) error {
	var where serving
	_, err := a.process.AwaitLog(ctx, func(line string) bool {
		return json.Unmarshal([]byte(line), &where) == nil && where.Message == "serving"
	})
	if err != nil {
		return err
	}
	a.grpc, a.http = where.GRPC, where.HTTP
	a.conn, err = dial(a.grpc)
	return err
}

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func (a *aggregator) kill() {
	_ = a.conn.Close() // it is a client's connection
	a.process.Kill()
}

// during measures the aggregator while work runs.
func (a *aggregator) during(work func() error) (measure.Measurement, error) {
	var m measure.Measurement
	before, err := process.CPU(a.process.PID())
	if err != nil {
		return m, err
	}
	start := time.Now()
	if err := work(); err != nil {
		return m, a.process.Failed(err)
	}
	m.Wall = time.Since(start)
	after, err := process.CPU(a.process.PID())
	if err != nil {
		return m, err
	}
	m.CPU = after - before
	m.PeakRSS, err = process.PeakRSS(a.process.PID())
	return m, err
}

// goroutines returns how many the aggregator has, one of which serves the question.
func (a *aggregator) goroutines(ctx context.Context) (int, error) {
	m, err := a.metrics(ctx)
	return int(m.Value("go_goroutines")), err
}

func (a *aggregator) metrics(ctx context.Context) (metrics.Metrics, error) {
	return metrics.Read(ctx, "http://"+a.http+"/metrics")
}
