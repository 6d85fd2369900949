package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// splitter goes over a list of pods in memory, as often as there are sweeps, in one of several shapes.
type splitter struct {
	job  job
	list []byte
	pool manifest.Pool
	copy []byte
}

func (s *splitter) Prepare(ctx context.Context) error {
	definitions, err := simulated.Definitions(s.job.Kubeconfig)
	if err != nil {
		return err
	}
	target, err := newHTTPTarget(definitions[0])
	if err != nil {
		return err
	}
	var list bytes.Buffer
	if _, err := target.read(ctx, "/api/v1/pods?limit=500", &list); err != nil {
		return err
	}
	s.list, s.copy = list.Bytes(), make([]byte, list.Len())
	_, err = s.Round(ctx)
	return err
}

// Round returns how many bytes it went over or, in the shape "allocations", how many allocations were made meanwhile.
func (s *splitter) Round(context.Context) (operations int, err error) {
	if s.job.Shape == "allocations" {
		return s.allocations()
	}
	for range s.job.Sweeps {
		if err := s.sweep(); err != nil {
			return 0, err
		}
	}
	return s.job.Sweeps * len(s.list), nil
}

func (s *splitter) sweep() error {
	switch s.job.Shape {
	case "memmove":
		copy(s.copy, s.list)
		return nil
	case "jsontext":
		_, err := jsontext.NewDecoder(bytes.NewReader(s.list)).ReadValue()
		return err
	}
	items, err := s.split(manifest.Options{List: true, Pool: &s.pool})
	if err == nil && items != fetchObjects {
		err = fmt.Errorf("the list has %d items", items)
	}
	return err
}

// allocations makes as many sweeps as a round has, in one thread: what others allocate is not to be counted.
func (s *splitter) allocations() (operations int, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range s.job.Sweeps {
		if err := s.sweep(); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return int(after.Mallocs - before.Mallocs), nil
}

func (s *splitter) split(options manifest.Options) (items int, err error) {
	r := manifest.NewReader(bytes.NewReader(s.list), options)
	defer r.Close()
	for {
		switch _, err := r.Next(); {
		case errors.Is(err, io.EOF):
			return items, nil
		case err != nil:
			return items, err
		}
		items++
	}
}
