package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// contestant is a child that does a job in rounds.
type contestant struct {
	role    string
	process *process.Process
}

// contestant starts a child and returns when it is prepared. It must be ended with Kill.
func (b *bench) contestant(ctx context.Context, j job) (*contestant, error) {
	if b.profiles != "" {
		j.Profile = filepath.Join(b.profiles, strings.ReplaceAll(j.Role+j.Shape, "/", ""))
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(ctx, b.folder, cmp.Or(j.Program, b.self), child.Command, string(text))
	if err != nil {
		return nil, err
	}
	c := &contestant{role: j.Role, process: p}
	if _, err := c.answer(); err != nil {
		c.kill()
		return nil, err
	}
	return c, nil
}

func (c *contestant) kill() { c.process.Kill() }

// begin starts a round without waiting for its end.
func (c *contestant) begin() error {
	_, err := c.process.Stdin.Write([]byte{'\n'})
	return err
}

// round does a round and returns what it took.
func (c *contestant) round() (measure.Measurement, error) {
	if err := c.begin(); err != nil {
		return measure.Measurement{}, err
	}
	return c.answer()
}

// once does a round of which only the end matters.
func (c *contestant) once() error {
	_, err := c.round()
	return err
}

func (c *contestant) answer() (measure.Measurement, error) {
	line, err := c.process.Stdout.ReadBytes('\n')
	if err != nil {
		c.kill()
		return measure.Measurement{}, c.process.Failed(fmt.Errorf("%s: %w", c.role, err))
	}
	var m measure.Measurement
	return m, json.Unmarshal(line, &m)
}

// alternate prepares a contestant for each job and lets them do their rounds in turn, A B A B, so that what disturbs the
// machine disturbs them alike. It returns the measurements in the order of the jobs.
func (b *bench) alternate(ctx context.Context, rounds int, jobs ...job) ([][]measure.Measurement, error) {
	contestants := make([]*contestant, len(jobs))
	for i, j := range jobs {
		c, err := b.contestant(ctx, j)
		if err != nil {
			return nil, err
		}
		defer c.kill()
		contestants[i] = c
	}
	measurements := make([][]measure.Measurement, len(jobs))
	for range rounds {
		for i, c := range contestants {
			m, err := c.round()
			if err != nil {
				return nil, err
			}
			measurements[i] = append(measurements[i], m)
		}
	}
	return measurements, nil
}
