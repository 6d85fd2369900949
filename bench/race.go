package main

import (
	"context"
	"fmt"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// entrant is one of the shapes in a race.
type entrant struct {
	shape, title string
	child        *contestant
	runs         runs
}

// race lets the shapes that people write, with client-go inside, do a fan-out that the product does as well.
type race struct {
	fleet    *simulated.Fleet
	clusters int
	entrants []*entrant
}

// allShapes returns the names of the shapes, in the order of the table.
func allShapes() []string { return []string{"errgroup", "naive", "semaphore", "batches"} }

func titles() map[string]string {
	return map[string]string{
		"errgroup":  "errgroup with a limit",
		"naive":     "naive: a goroutine each, no bound",
		"semaphore": "WaitGroup and semaphore",
		"batches":   "barrier batches",
	}
}

// race prepares an entrant for each shape. It must be ended with kill.
func (b *bench) race(ctx context.Context, fleet *simulated.Fleet, clusters int, j job) (*race, error) {
	var err error
	if j.Program, err = b.peerProgram(ctx); err != nil {
		return nil, err
	}
	r := &race{fleet: fleet, clusters: clusters}
	for _, shape := range allShapes() {
		j.Role, j.Shape = "readyz", shape
		child, err := b.contestant(ctx, j)
		if err != nil {
			r.kill()
			return nil, err
		}
		r.entrants = append(r.entrants, &entrant{shape: shape, title: titles()[shape], child: child})
	}
	return r, nil
}

func (r *race) kill() {
	for _, e := range r.entrants {
		e.child.kill()
	}
}

// warm lets everybody make their connections.
func (r *race) warm() error {
	for _, e := range r.entrants {
		if err := e.child.once(); err != nil {
			return err
		}
	}
	return nil
}

// round lets the entrants of these shapes run, one after the other.
func (r *race) round(ctx context.Context, shapes ...string) error {
	for _, shape := range shapes {
		e, err := r.entrant(shape)
		if err != nil {
			return err
		}
		err = e.runs.run(ctx, r.fleet, func() error {
			m, err := e.child.round()
			e.runs.failed += r.clusters - m.Operations
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *race) entrant(shape string) (*entrant, error) {
	for _, e := range r.entrants {
		if e.shape == shape {
			return e, nil
		}
	}
	return nil, fmt.Errorf("there is no entrant %q", shape)
}

// add adds the runs of another race to this one's.
func (r *race) add(other *race) {
	for i, e := range other.entrants {
		mine := &r.entrants[i].runs
		mine.walls = append(mine.walls, e.runs.walls...)
		mine.peak = max(mine.peak, e.runs.peak)
		mine.failed += e.runs.failed
	}
}

// peers returns the entrants that have run, as the table has them.
func (r *race) peers() []report.Peer {
	var peers []report.Peer
	for _, e := range r.entrants {
		if len(e.runs.walls) == 0 {
			continue
		}
		note := fmt.Sprintf("%d in flight", e.runs.peak)
		if e.runs.failed > 0 {
			note += fmt.Sprintf(", %d of %d failed", e.runs.failed, r.clusters*len(e.runs.walls))
		}
		peers = append(peers, report.Peer{Name: e.title, Value: report.Duration(measure.Median(e.runs.walls)), Note: note})
	}
	return peers
}
