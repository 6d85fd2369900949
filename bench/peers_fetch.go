package main

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// fetchRivals returns the peers that read the pods of a fleet, the dynamic client first. kubectl reads those of a few
// clusters.
func (b *bench) fetchRivals(ctx context.Context, fleet *simulated.Fleet, clusters int) (*rivals, error) {
	program, err := b.peerProgram(ctx)
	if err != nil {
		return nil, err
	}
	clientGo, err := b.clientGo(ctx)
	if err != nil {
		return nil, err
	}
	_, limit := fetchLimits()
	dynamic := job{Program: program, Role: "dynamic pods", Shape: "errgroup", Kubeconfig: fleet.Kubeconfig, Limit: limit, Objects: fetchObjects}
	typed := dynamic
	typed.Role = "typed pods"
	r := &rivals{versions: []string{clientGo}, peers: []peer{
		{title: "client-go's dynamic client, to nobody", job: dynamic, expected: clusters},
		{title: "client-go's clientset, to nobody", job: typed, expected: clusters},
	}}
	xargs := job{
		Program: program, Role: "kubectl", Shape: "pods", Kubeconfig: fleet.Kubeconfig, Folder: b.folder,
		Limit: limit, Clusters: pick(b, 10, 2), Warm: true,
	}
	r.add(kubectl(ctx), peer{
		title: "kubectl get pods -A -o json, xargs", job: xargs, expected: xargs.Clusters,
		note: fmt.Sprintf("%d clusters, multiplied", xargs.Clusters),
	})
	return r, nil
}

// peakLines are the lines of these peers in a row of memory. Processes that are many have no common peak.
func (r *rivals) peakLines(found [][]measure.Measurement) []report.Peer {
	var lines []report.Peer
	for i, p := range r.peers {
		if p.job.Clusters == 0 {
			lines = append(lines, p.line(report.Bytes(found[i][0].PeakRSS), found[i]))
		}
	}
	return lines
}

// fetchLines are the lines of these peers in a row of the processor time that the whole fleet takes.
func (r *rivals) fetchLines(found [][]measure.Measurement, clusters int) []report.Peer {
	lines := make([]report.Peer, len(r.peers))
	for i, p := range r.peers {
		whole := measure.MedianOf(found[i], measure.CPU) * time.Duration(clusters) / time.Duration(p.expected)
		lines[i] = p.line(report.Duration(whole), found[i])
	}
	return lines
}
