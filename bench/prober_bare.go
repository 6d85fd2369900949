package main

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/clusterfleet/clusterfleet/bench/internal/bare"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// userAgent is what every contestant sends, so that the simulator has the same bytes to read.
const userAgent = "clusterfleet-bench"

// bareHeader makes a bare request what the product sends, to the byte.
const bareHeader = "User-Agent: " + userAgent + "\r\nAccept: application/json\r\n"

// bareProber is the floor: a kept-alive TLS connection a cluster, as many goroutines as the others have, fixed requests.
type bareProber struct {
	job   job
	conns []*bare.Conn
}

func (p *bareProber) Prepare(ctx context.Context) (err error) {
	if p.conns, err = dialAll(ctx, p.job); err != nil {
		return err
	}
	_, err = p.Round(ctx)
	return err
}

// dialAll connects to every cluster of the job's kubeconfig, ready to ask whether it is ready.
func dialAll(ctx context.Context, j job) ([]*bare.Conn, error) {
	definitions, err := simulated.Definitions(j.Kubeconfig)
	if err != nil {
		return nil, err
	}
	conns := make([]*bare.Conn, len(definitions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(j.Limit)
	for i, d := range definitions {
		group.Go(func() (err error) {
			conns[i], err = bare.Dial(ctx, d.Config, "/readyz", bareHeader)
			return err
		})
	}
	return conns, group.Wait()
}

func (p *bareProber) Round(context.Context) (operations int, err error) {
	return sweep(len(p.conns), p.job, func(i int) error { return p.conns[i].Ask() })
}

// sweep asks n clusters as often as the job says, in as many goroutines as it says, with nothing between them but a counter.
func sweep(n int, j job, ask func(i int) error) (operations int, err error) {
	for range j.Sweeps {
		var next atomic.Int64
		var wg sync.WaitGroup
		errs := make([]error, j.Limit)
		for worker := range j.Limit {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < int64(n) && errs[worker] == nil; i = next.Add(1) - 1 {
					errs[worker] = ask(int(i))
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		operations += n
	}
	return operations, nil
}
