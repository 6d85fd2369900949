package schedule

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// Stage is where faults are shown: a simulated fleet.
type Stage interface {
	// SetFault puts a fault on a cluster, in place of the one that it has.
	SetFault(cluster string, fault simulator.Fault) error
	// ClearFault takes the cluster's fault away.
	ClearFault(cluster string) error
}

// cue is a moment at which a fault comes or goes.
type cue struct {
	at      time.Duration
	episode int
	on      bool
	// last ends the episode.
	last bool
}

// Play puts the episodes' faults on the stage, each at its time after start, and returns when Length has passed. It writes
// into the schedule when they really came and went, so that nobody may read it meanwhile. When ctx ends, it returns early.
func (s *Schedule) Play(ctx context.Context, start time.Time, stage Stage) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, c := range append(s.cues(), cue{at: s.Length, episode: -1}) {
		timer.Reset(time.Until(start.Add(c.at)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.episode < 0 {
			continue
		}
		if err := s.perform(c, start, stage); err != nil {
			return fmt.Errorf("%s: %w", s.Episodes[c.episode].Name, err)
		}
	}
	return nil
}

func (s *Schedule) perform(c cue, start time.Time, stage Stage) error {
	e := &s.Episodes[c.episode]
	before := time.Since(start)
	first := c.on && e.From >= c.at
	var err error
	if c.on {
		err = stage.SetFault(e.Cluster, e.Fault)
	} else {
		err = stage.ClearFault(e.Cluster)
	}
	e.Edge = max(e.Edge, time.Since(start)-before)
	if first {
		e.From = before
	}
	if c.last {
		e.To = before
	}
	return err
}

// cues returns when what comes and goes, in the order of time.
func (s *Schedule) cues() []cue {
	var cues []cue
	for i, e := range s.Episodes {
		if e.Fault.Kind == "" {
			continue // somebody else brings it about
		}
		cues = append(cues, cue{at: e.From, episode: i, on: true}, cue{at: e.To, episode: i, last: true})
		if e.Period == 0 {
			continue
		}
		for at, on := e.From+e.Period/2, false; at < e.To; at, on = at+e.Period/2, !on {
			cues = append(cues, cue{at: at, episode: i, on: on})
		}
	}
	slices.SortStableFunc(cues, func(a, b cue) int { return cmp.Compare(a.at, b.at) })
	return cues
}
