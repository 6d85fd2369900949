package main

import (
	"context"
	"fmt"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/test/bench/internal/simulated"
)

// loader loads a kubeconfig as the aggregator does.
type loader struct{ job job }

func (l *loader) prepare(context.Context) error { return nil }

func (l *loader) round(context.Context) (operations int, err error) {
	definitions, problems := cluster.LoadKubeconfig([]string{l.job.Kubeconfig}, cluster.KubeconfigOptions{})
	if len(problems) > 0 {
		return 0, fmt.Errorf("load %s: %w", l.job.Kubeconfig, problems[0])
	}
	return len(definitions), nil
}

// clientcmdLoader is a peer: it loads a kubeconfig with client-go.
type clientcmdLoader struct{ job job }

func (l *clientcmdLoader) prepare(context.Context) error { return nil }

func (l *clientcmdLoader) round(context.Context) (operations int, err error) {
	definitions, err := simulated.Definitions(l.job.Kubeconfig)
	return len(definitions), err
}
