package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// soaking is a run that is under way.
type soaking struct {
	timetable  timetable
	epoch      time.Time // when the fleet started
	aggregator *aggregator
	kubeconfig *kubeconfig
	crowd      *crowd
	tally      *tally
	log        *log
	// quiet is the client that asks while nobody else calls.
	quiet *client.Client
	// missed is how many samples could not be taken.
	missed   atomic.Int64
	progress io.Writer
}

// soak runs the product and returns what was found. Nothing that it starts is left.
func soak(ctx context.Context, o options, progress io.Writer) ([]finding, error) {
	folder, err := os.MkdirTemp("", "clusterfleet-soak-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	l, err := newLog(o.csv)
	if err != nil {
		return nil, fmt.Errorf("-csv: %w", err)
	}
	defer l.close()
	if o.programs == "" {
		o.programs = filepath.Join(folder, "bin")
		if err := build(ctx, o.programs, progress); err != nil {
			return nil, err
		}
	}
	s := &soaking{timetable: newTimetable(o.duration), tally: newTally(), log: l, progress: progress}
	f, err := s.startFleet(ctx, o, folder)
	if err != nil {
		return nil, err
	}
	defer f.Kill()
	if s.kubeconfig, err = newKubeconfig(f.Kubeconfig, filepath.Join(folder, "kubeconfig-now"), names(o.clusters)); err != nil {
		return nil, err
	}
	program := filepath.Join(o.programs, "aggregator")
	if s.aggregator, err = startAggregator(ctx, program, s.kubeconfig.file, filepath.Join(folder, "data"), s.timetable.retention()); err != nil {
		return nil, err
	}
	defer s.aggregator.kill()
	if s.quiet, err = client.Dial(s.aggregator.grpc); err != nil {
		return nil, err
	}
	defer s.quiet.Close()
	s.crowd = &crowd{address: s.aggregator.grpc, names: s.kubeconfig.stable, seed: o.seed, tally: s.tally}
	if err := s.run(ctx); err != nil {
		return nil, s.aggregator.process.Failed(err)
	}
	return s.end(ctx)
}

// startFleet starts the fleet with what goes wrong in it.
func (s *soaking) startFleet(ctx context.Context, o options, folder string) (*simulated.Fleet, error) {
	random := rand.New(rand.NewPCG(o.seed, 0))
	scenario := filepath.Join(folder, "scenario")
	if err := writeScenario(scenario, faults(s.timetable, names(o.clusters), random)); err != nil {
		return nil, err
	}
	f, err := simulated.Start(ctx, simulated.Config{
		Program: filepath.Join(o.programs, "fleetsim"), Folder: folder, Clusters: o.clusters,
		Flags: []string{"--scenario", scenario, "--latency", "lognormal:p50=5ms,p99=100ms", "--pods", "10", "--configmaps", "5", "--deployments", "5"},
	})
	s.epoch = time.Now()
	return f, err
}

// run goes through the cycles and samples all the while.
func (s *soaking) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.sample(ctx) })
	group.Go(func() error {
		defer stop()
		return s.cycles(ctx)
	})
	return group.Wait()
}

func (s *soaking) cycles(ctx context.Context) error {
	for cycle := range s.timetable.count {
		if cycle > 0 {
			if err := s.calls(ctx, cycle); err != nil {
				return err
			}
		}
		point, err := s.rest(ctx, s.epoch.Add(s.timetable.start(cycle+1)), s.timetable.patience(cycle))
		if err != nil {
			return err
		}
		s.tell(cycle, point)
	}
	return nil
}

// calls lets callers call and clusters come and go, for its part of a cycle.
func (s *soaking) calls(ctx context.Context, cycle int) error {
	start := s.epoch.Add(s.timetable.start(cycle))
	calling, cancel := context.WithDeadline(ctx, start.Add(s.timetable.calls()))
	defer cancel()
	group, calling := errgroup.WithContext(calling)
	group.Go(func() error { return s.crowd.call(calling, cycle) })
	group.Go(func() error {
		for _, at := range []time.Duration{0, s.timetable.cycle / 2} {
			if !pause(calling, time.Until(start.Add(at))) {
				break
			}
			if err := s.exchange(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// sample looks at the aggregator every few seconds until ctx ends. On a busy machine it may not see it in time: that is told,
// and no reason to end.
func (s *soaking) sample(ctx context.Context) error {
	ticker := time.NewTicker(s.timetable.sampling())
	defer ticker.Stop()
	for {
		now, err := s.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			err = s.log.add(now)
		case s.aggregator.alive():
			s.missed.Add(1)
			err = nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *soaking) look(ctx context.Context) (sample, error) {
	now, err := s.aggregator.look(ctx)
	now.at, now.visits = time.Since(s.epoch), s.tally.visitsSoFar()
	return now, err
}

// tell reports progress.
func (s *soaking) tell(cycle int, at *sample) {
	if at == nil {
		_, _ = fmt.Fprintf(s.progress, "soak: cycle %d of %d: the aggregator was not at rest\n", cycle+1, s.timetable.count) // nobody is left to tell
		return
	}
	_, _ = fmt.Fprintf(s.progress, "soak: cycle %d of %d: live heap %.2f MiB and %.2f MiB of the store's buffers, %d goroutines, %d files, %d connections, store %.1f MiB, %d visits\n", // likewise
		cycle+1, s.timetable.count, mebibytes(at.own), mebibytes(at.buffers), at.goroutines, at.files, at.connections, mebibytes(at.disk), at.visits)
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
