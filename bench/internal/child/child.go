// Package child is how the benchmarks speak with the programs that they measure. Such a program gets a job as its
// argument and answers on stdout when it is prepared; then it does a round of work for every line on its stdin, and answers
// with what the round took. It ends with its stdin. An answer is a measure.Measurement as JSON, a line each.
package child

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

// Command makes a program a child; the argument after it is a Job as JSON.
const Command = "child"

// Worker does a job in rounds.
type Worker interface {
	// Prepare does what is not measured.
	Prepare(ctx context.Context) error
	// Round does the work once and returns how many operations succeeded.
	Round(ctx context.Context) (operations int, err error)
}

// Meter is a Worker whose work is done by other processes.
type Meter interface {
	// CPU returns the processor time of these processes so far, user and system.
	CPU() (time.Duration, error)
	// PeakRSS returns the most memory that one of them ever had resident, in bytes.
	PeakRSS() (int64, error)
}

// Ender is a Worker that leaves something running.
type Ender interface {
	// End ends it, however far Prepare has come.
	End()
}

// self measures the process that it runs in.
type self struct{}

// CPU implements Meter.
func (self) CPU() (time.Duration, error) { return process.OwnCPU() }

// PeakRSS implements Meter.
func (self) PeakRSS() (int64, error) { return process.PeakRSS(os.Getpid()) }

// Run does the job, a Job as JSON, with the worker that newWorker makes for it, until stdin ends. A worker that
// is an Ender is ended then.
func Run(ctx context.Context, text string, newWorker func(Job) (Worker, error), stdin io.Reader, stdout io.Writer) error {
	var j Job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return fmt.Errorf("a child's job: %w", err)
	}
	w, err := newWorker(j)
	if err != nil {
		return err
	}
	if ender, ok := w.(Ender); ok {
		defer ender.End()
	}
	ctx, commands := commands(ctx, stdin)
	if err := w.Prepare(ctx); err != nil {
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
func profile(j Job, round int) (stop func() error, err error) {
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

func measured(ctx context.Context, w Worker) (measure.Measurement, error) {
	meter, ok := w.(Meter)
	if !ok {
		meter = self{}
	}
	before, err := meter.CPU()
	if err != nil {
		return measure.Measurement{}, err
	}
	start := time.Now()
	operations, err := w.Round(ctx)
	wall := time.Since(start)
	if err != nil {
		return measure.Measurement{}, err
	}
	after, err := meter.CPU()
	if err != nil {
		return measure.Measurement{}, err
	}
	peak, err := meter.PeakRSS()
	return measure.Measurement{Operations: operations, Wall: wall, CPU: after - before, PeakRSS: peak}, err
}
