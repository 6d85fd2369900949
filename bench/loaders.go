package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// loader loads a kubeconfig as the aggregator does.
type loader struct{ job job }

func (l *loader) Prepare(context.Context) error { return nil }

func (l *loader) Round(context.Context) (operations int, err error) {
	definitions, err := simulated.Definitions(l.job.Kubeconfig)
	return len(definitions), err
}

// applier loads a kubeconfig and makes it a fleet, as the aggregator does when it starts.
type applier struct{ job job }

func (a *applier) Prepare(context.Context) error { return nil }

func (a *applier) Round(context.Context) (operations int, err error) {
	definitions, err := simulated.Definitions(a.job.Kubeconfig)
	if err != nil {
		return 0, err
	}
	f := fleet.New(fleet.Options{UserAgent: userAgent})
	defer f.Close()
	err = f.Apply(definitions)
	return f.Size(), err
}

// clientcmdLoader is a peer: client-go loads the file and makes a configuration of each context.
type clientcmdLoader struct{ job job }

func (l *clientcmdLoader) Prepare(context.Context) error { return nil }

func (l *clientcmdLoader) Round(context.Context) (operations int, err error) {
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
