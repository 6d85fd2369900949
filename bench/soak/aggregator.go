package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/internal/fleettest/metrics"
)

const (
	// startTime is what the aggregator gets to read its kubeconfig and serve.
	startTime = 30 * time.Second
	// stopTime is within what it has to end when it is told to.
	stopTime = 30 * time.Second
	// scrapeTime bounds one look at its metrics.
	scrapeTime = 10 * time.Second
)

// aggregator is the real program, in a process of its own.
type aggregator struct {
	process    *process.Process
	grpc, http string // addresses
	data       string // where it keeps its store
}

// startAggregator starts it with its store in the folder data, beside which its temporary files go. It must be ended with kill.
func startAggregator(ctx context.Context, program, kubeconfig, data string, retention time.Duration) (*aggregator, error) {
	p, err := process.Start(ctx, filepath.Dir(data), program, "--kubeconfig", kubeconfig, "--data-dir", data, "--history-max-age", retention.String(),
		"--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--log-format", "json")
	if err != nil {
		return nil, err
	}
	a := &aggregator{process: p, data: data}
	if err := a.awaitAddresses(ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return a, nil
}

func (a *aggregator) awaitAddresses(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	_, err := a.process.AwaitLog(ctx, func(line string) bool {
		var where struct {
			Message string `json:"msg"`
			GRPC    string `json:"grpc"`
			HTTP    string `json:"http"`
		}
		if json.Unmarshal([]byte(line), &where) != nil || where.Message != "serving" {
			return false
		}
		a.grpc, a.http = where.GRPC, where.HTTP
		return true
	})
	return err
}

func (a *aggregator) kill() { a.process.Kill() }

func (a *aggregator) metrics(ctx context.Context) (metrics.Metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTime)
	defer cancel()
	return metrics.Read(ctx, "http://"+a.http+"/metrics")
}

// alive reports whether the process is there.
func (a *aggregator) alive() bool { return a.process.Signal(syscall.Signal(0)) == nil }

// reload makes it read its kubeconfig again.
func (a *aggregator) reload() error { return a.process.Signal(syscall.SIGHUP) }

// stop tells it to end and returns how long that took and with which code it ended.
func (a *aggregator) stop(ctx context.Context) (took time.Duration, code int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*stopTime, fmt.Errorf("it has not ended %s after SIGTERM", 2*stopTime))
	defer cancel()
	start := time.Now()
	if err := a.process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	code, err = a.process.Wait(ctx)
	return time.Since(start), code, err
}
