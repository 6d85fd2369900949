package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/test/bench/internal/simulated"
)

// loader loads a kubeconfig as the aggregator does.
type loader struct{ job job }

func (l *loader) prepare(context.Context) error { return nil }

func (l *loader) round(context.Context) (operations int, err error) {
	definitions, err := simulated.Definitions(l.job.Kubeconfig)
	return len(definitions), err
}

// clientcmdLoader is a peer: client-go loads the file and makes a configuration of each context.
type clientcmdLoader struct{ job job }

func (l *clientcmdLoader) prepare(context.Context) error { return nil }

func (l *clientcmdLoader) round(context.Context) (operations int, err error) {
	file, err := clientcmd.LoadFromFile(l.job.Kubeconfig)
	if err != nil {
		return 0, err
	}
	for name := range file.Contexts {
		if _, err := clientcmd.NewNonInteractiveClientConfig(*file, name, nil, nil).ClientConfig(); err != nil {
			return 0, fmt.Errorf("context %s: %w", name, err)
		}
		operations++
	}
	return operations, nil
}
