package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// benchKubeconfig measures the processor time that it takes to turn a kubeconfig into definitions of clusters, and
// to make these a fleet that can be asked.
func benchKubeconfig(ctx context.Context, b *bench) ([]report.Row, error) {
	contexts := pick(b, 1000, 200)
	fleet, err := b.fleet(ctx, contexts)
	if err != nil {
		return nil, err
	}
	defer fleet.Kill()
	rounds := pick(b, 7, 2)
	found, err := b.alternate(ctx, rounds,
		job{Role: "loader", Kubeconfig: fleet.Kubeconfig},
		job{Role: "clientcmd", Kubeconfig: fleet.Kubeconfig},
		job{Role: "applier", Kubeconfig: fleet.Kubeconfig})
	if err != nil {
		return nil, err
	}
	for _, rounds := range found {
		if rounds[0].Operations != contexts {
			return nil, fmt.Errorf("%d of %d contexts were loaded", rounds[0].Operations, contexts)
		}
	}
	return []report.Row{{
		Work:   fmt.Sprintf("load a kubeconfig of %d contexts: CPU", contexts),
		Ours:   report.Median(measure.Each(found[0], measure.CPU)),
		Target: report.AtMost(report.Duration(200 * time.Millisecond)),
		Peers:  []report.Peer{{Name: "clientcmd, a configuration each", Value: report.Median(measure.Each(found[1], measure.CPU))}},
	}, {
		Work: fmt.Sprintf("load it and apply it to a fleet, %d clusters: CPU", contexts),
		Ours: report.Median(measure.Each(found[2], measure.CPU)),
	}}, nil
}
