package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/store"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

const (
	// openTime bounds the opening of the store, closeTime the writing of what is pending at the end.
	openTime  = 30 * time.Second
	closeTime = 2 * time.Second
	// storeService is the name under which grpc.health.v1 tells whether the store can be written.
	storeService = "clusterfleet.store"
	storeLook    = time.Second
)

// history is the store, and the directory that goes with the process where the operator named none.
type history struct {
	*store.Store

	passing string
	log     *slog.Logger
}

// openHistory opens the store that the command line names.
func openHistory(ctx context.Context, c config, log *slog.Logger) (*history, error) {
	h := &history{log: log}
	options := store.Options{Dir: c.dataDir, URL: c.natsURL, MaxAge: c.historyMaxAge, Log: log.With("from", "store")}
	if c.dataDir == "" && c.natsURL == "" {
		var err error
		if h.passing, err = os.MkdirTemp("", "clusterfleet-"); err != nil {
			return nil, fmt.Errorf("make a directory for the history: %w; name one with --data-dir", err)
		}
		options.Dir = h.passing
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	var err error
	if h.Store, err = store.Open(ctx, options); err != nil {
		return nil, errors.Join(err, h.removePassing())
	}
	return h, nil
}

// restored returns what was known before. It is better to start without it than not at all.
func (h *history) restored(ctx context.Context) []health.Snapshot {
	snapshots, err := h.Load(ctx)
	if err != nil {
		h.log.Error("what was known before cannot be read", "problem", err.Error())
		return nil
	}
	latest, err := h.Transitions(ctx, health.HistoryQuery{Limit: recentTransitions})
	if err != nil {
		h.log.Error("what has happened before cannot be read", "problem", err.Error())
	}
	return reconciled(snapshots, latest)
}

// recentTransitions is for how many clusters at most a transition may have been written after their latest snapshot.
const recentTransitions = 1000

// reconciled lets the snapshots follow transitions that are later: they are written first, and the process may have been
// killed in between.
func reconciled(snapshots []health.Snapshot, latest []health.Transition) []health.Snapshot {
	last := make(map[string]health.Transition, len(latest))
	for _, t := range slices.Backward(latest) {
		last[t.Cluster] = t
	}
	for i := range snapshots {
		s := &snapshots[i]
		t, ok := last[s.Cluster]
		if !ok || !t.At.After(s.Since) || t.To == s.State {
			continue
		}
		s.State, s.Since = t.To, t.At
		if t.To != cluster.Unknown {
			s.Known = t.To
		}
	}
	return snapshots
}

// close writes what is pending.
func (h *history) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return errors.Join(h.Close(ctx), h.removePassing())
}

func (h *history) removePassing() error {
	if h.passing == "" {
		return nil
	}
	return os.RemoveAll(h.passing)
}

// tell lets grpc.health.v1 and the log say whether the store can be written, until ctx ends. What is good to know is said
// once the process serves, not in front of the error with which it may fail to start.
func (h *history) tell(ctx context.Context, s *server.Server) {
	if h.passing != "" {
		h.log.Info("history ends with this process: --data-dir keeps it")
	}
	ticker := time.NewTicker(storeLook)
	defer ticker.Stop()
	good := true
	s.SetServing(storeService, good)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		trouble := h.Status()
		if good == (trouble == nil) {
			continue
		}
		good = trouble == nil
		s.SetServing(storeService, good)
		if good {
			h.log.Info("the store is written again")
			continue
		}
		h.log.Error("the store is degraded: probing and serving go on", "problem", trouble.Error())
	}
}

// storeMetrics are read from the store when they are asked for.
func storeMetrics(h *history) []prometheus.Collector {
	gauge := func(name, help string, value func(store.Stats) float64) prometheus.Collector {
		opts := prometheus.GaugeOpts{Namespace: "clusterfleet", Subsystem: "store", Name: name, Help: help}
		return prometheus.NewGaugeFunc(opts, func() float64 { return value(h.Stats()) })
	}
	counter := func(name, help string, value func(store.Stats) float64) prometheus.Collector {
		opts := prometheus.CounterOpts{Namespace: "clusterfleet", Subsystem: "store", Name: name, Help: help}
		return prometheus.NewCounterFunc(opts, func() float64 { return value(h.Stats()) })
	}
	return []prometheus.Collector{
		gauge("degraded", "1 while what is to be kept cannot be written in time.", func(store.Stats) float64 {
			if h.Status() != nil {
				return 1
			}
			return 0
		}),
		gauge("lag_seconds", "How long the oldest that is not written has waited.", func(s store.Stats) float64 { return s.Lag.Seconds() }),
		gauge("pending", "Transitions and snapshots that wait for being written.", func(s store.Stats) float64 {
			return float64(s.PendingTransitions + s.PendingSnapshots)
		}),
		counter("written_total", "Transitions and snapshots that were written.", func(s store.Stats) float64 {
			return float64(s.WrittenTransitions + s.WrittenSnapshots)
		}),
		counter("dropped_total", "What was not written: no room to wait, or not to be stored at all.", func(s store.Stats) float64 { return float64(s.Dropped) }),
		counter("failures_total", "Attempts to write that failed.", func(s store.Stats) float64 { return float64(s.Failures) }),
	}
}
