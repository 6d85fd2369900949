package main

import (
	"context"
	"fmt"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// probeRivals returns the peers that probe when they are told to. Of those that take long for a probe, fewer clusters are
// asked.
func (b *bench) probeRivals(ctx context.Context, j job, clusters int) (*rivals, error) {
	var err error
	if j.Program, err = b.peerProgram(ctx); err != nil {
		return nil, err
	}
	clientGo, err := b.clientGo(ctx)
	if err != nil {
		return nil, err
	}
	r := &rivals{versions: []string{clientGo}}
	j.Folder = b.folder
	for _, p := range []peer{
		{title: "client-go's clientset, /readyz", job: job{Role: "readyz"}},
		{title: "client-go's discovery client, /version", job: job{Role: "version"}},
		{title: "client-go's dynamic client, a namespace", job: job{Role: "namespace"}},
	} {
		role := p.job.Role
		p.job, p.expected = j, clusters*j.Sweeps
		p.job.Role, p.job.Shape, p.job.Warm = role, "errgroup", true
		r.peers = append(r.peers, p)
	}
	exporter := j
	exporter.Role, exporter.Clusters, exporter.Sweeps, exporter.Warm = "blackbox_exporter", pick(b, 200, 50), 1, true
	r.add(b.builtTool(ctx, "blackbox_exporter", "blackbox"), peer{
		title: "blackbox_exporter", job: exporter, expected: exporter.Clusters,
		note: fmt.Sprintf("%d clusters, a connection each time", exporter.Clusters),
	})
	xargs := j
	xargs.Role, xargs.Shape, xargs.Clusters, xargs.Sweeps = "kubectl", "readyz", pick(b, 10, 4), 1
	r.add(kubectl(ctx), peer{
		title: "kubectl get --raw /readyz, xargs", job: xargs, expected: xargs.Clusters,
		note: fmt.Sprintf("%d clusters", xargs.Clusters),
	})
	return r, nil
}

// scheduledRivals returns the peers that probe when they think it is time, and would disturb others if these were to be
// measured meanwhile.
func (b *bench) scheduledRivals(ctx context.Context, j job) (*rivals, error) {
	var err error
	if j.Program, err = b.peerProgram(ctx); err != nil {
		return nil, err
	}
	j.Role, j.Clusters, j.Folder = "cloudprober", pick(b, 1000, 100), b.folder
	r := &rivals{}
	r.add(b.builtTool(ctx, "cloudprober", "cloudprober"), peer{
		title: "cloudprober", job: j, expected: j.Clusters * j.Sweeps,
		note: fmt.Sprintf("%d clusters, each every second", j.Clusters),
	})
	return r, nil
}

// probeLines are the lines of these peers in a row of processor time of a probe.
func (r *rivals) probeLines(found [][]measure.Measurement) []report.Peer {
	lines := make([]report.Peer, len(r.peers))
	for i, p := range r.peers {
		lines[i] = p.line(report.Duration(measure.MedianOf(found[i], measure.Measurement.CPUPerOperation)), found[i])
	}
	return lines
}
