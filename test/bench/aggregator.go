package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/clusterfleet/clusterfleet/test/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/test/bench/internal/process"
)

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

// aggregator starts the aggregator on the clusters of a kubeconfig. It must be ended with kill.
func (b *bench) aggregator(ctx context.Context, kubeconfig string) (*aggregator, error) {
	p, err := process.Start(ctx, filepath.Join(b.programs, "aggregator"), "--kubeconfig", kubeconfig,
		"--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--log-format", "json")
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.http+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "go_goroutines "); found {
			return strconv.Atoi(value)
		}
	}
	return 0, fmt.Errorf("%s has no go_goroutines", req.URL)
}
