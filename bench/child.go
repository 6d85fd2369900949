package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// childCommand makes this program one of its own contestants; the argument after it is a job.
const childCommand = "child"

// job says what a child is to do. What a role does not need is left out.
type job struct {
	Role       string        `json:"role"`
	Kubeconfig string        `json:"kubeconfig,omitempty"`
	Aggregator string        `json:"aggregator,omitempty"` // its gRPC address
	Shape      string        `json:"shape,omitempty"`
	Limit      int           `json:"limit,omitempty"`
	Sweeps     int           `json:"sweeps,omitempty"` // how many times a round goes over the fleet
	Timeout    time.Duration `json:"timeout,omitempty"`
	Profile    string        `json:"profile,omitempty"` // where to write a CPU profile of each round, but for its number
}

// worker does a job in rounds.
type worker interface {
	// prepare does what is not measured.
	prepare(ctx context.Context) error
	// round does the work once and returns how many operations that were.
	round(ctx context.Context) (operations int, err error)
}

func newWorker(j job) (worker, error) {
	switch j.Role {
	case "fleet":
		return &fleetProber{job: j}, nil
	case "cold":
		return &coldProber{fleetProber{job: j}}, nil
	case "handshakes":
		return &handshaker{job: j}, nil
	case "connections":
		return &connected{handshaker{job: j}}, nil
	case "teller":
		return &teller{job: j}, nil
	case "bare":
		return &bareProber{job: j}, nil
	case "net/http":
		return &httpProber{job: j}, nil
	case "shape":
		return &shapeProber{job: j}, nil
	case "caller":
		return &caller{job: j}, nil
	case "holder":
		return &holder{job: j}, nil
	case "discarder":
		return &discarder{job: j}, nil
	case "first":
		return &firstReader{discarder{job: j}}, nil
	case "dynamic":
		return &dynamicReader{job: j}, nil
	case "split":
		return &splitter{job: j}, nil
	case "loader":
		return &loader{job: j}, nil
	case "applier":
		return &applier{job: j}, nil
	case "clientcmd":
		return &clientcmdLoader{job: j}, nil
	}
	return nil, fmt.Errorf("no child has the role %q", j.Role)
}

// runChild does the job: it prepares, answers with an empty measurement, and then does a round for every line on stdin
// and answers with its measurement. It ends with its stdin.
func runChild(ctx context.Context, text string, stdin io.Reader, stdout io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return fmt.Errorf("a child's job: %w", err)
	}
	w, err := newWorker(j)
	if err != nil {
		return err
	}
	ctx, commands := commands(ctx, stdin)
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("prepare %s: %w", j.Role, err)
	}
	answers := json.NewEncoder(stdout)
	if err := answers.Encode(measure.Measurement{}); err != nil {
		return err
	}
	round := 0
	for range commands {
		round++
		stop, err := profile(j, round)
		if err != nil {
			return err
		}
		m, err := measured(ctx, w)
		if err := errors.Join(err, stop()); err != nil {
			return fmt.Errorf("round of %s: %w", j.Role, err)
		}
		if err := answers.Encode(m); err != nil {
			return err
		}
	}
	return nil
}

// commands returns a channel with a token for each line of stdin, and a context that ends with stdin, as does the channel.
func commands(ctx context.Context, stdin io.Reader) (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	lines := make(chan struct{})
	go func() {
		defer cancel()
		defer close(lines)
		for scanner := bufio.NewScanner(stdin); scanner.Scan(); {
			lines <- struct{}{}
		}
	}()
	return ctx, lines
}

// profile writes a CPU profile until stop is called, if the job asks for it.
func profile(j job, round int) (stop func() error, err error) {
	if j.Profile == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(fmt.Sprintf("%s-%d.pprof", j.Profile, round))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

func measured(ctx context.Context, w worker) (measure.Measurement, error) {
	before, err := process.OwnCPU()
	if err != nil {
		return measure.Measurement{}, err
	}
	start := time.Now()
	operations, err := w.round(ctx)
	wall := time.Since(start)
	if err != nil {
		return measure.Measurement{}, err
	}
	after, err := process.OwnCPU()
	if err != nil {
		return measure.Measurement{}, err
	}
	peak, err := process.PeakRSS(os.Getpid())
	return measure.Measurement{Operations: operations, Wall: wall, CPU: after - before, PeakRSS: peak}, err
}
