package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// userAgent is what every contestant sends that lets one choose, so that the simulator has the same bytes to read.
const userAgent = "clusterfleet-bench"

// target is a cluster as the kubeconfig has it.
type target struct {
	name   string
	config *rest.Config
}

// chosen returns the job's kubeconfig with the contexts that the job means and no others, and their names in order.
func chosen(j child.Job) (*clientcmdapi.Config, []string, error) {
	file, err := clientcmd.LoadFromFile(j.Kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	names := slices.Sorted(maps.Keys(file.Contexts))
	if j.Clusters > 0 && j.Clusters < len(names) {
		names = names[:j.Clusters]
	}
	few := clientcmdapi.NewConfig()
	for _, name := range names {
		entry := file.Contexts[name]
		few.Contexts[name] = entry
		few.Clusters[entry.Cluster] = file.Clusters[entry.Cluster]
		few.AuthInfos[entry.AuthInfo] = file.AuthInfos[entry.AuthInfo]
	}
	return few, names, nil
}

// targets returns the clusters that the job means.
func targets(j child.Job) ([]target, error) {
	file, names, err := chosen(j)
	if err != nil {
		return nil, err
	}
	found := make([]target, len(names))
	for i, name := range names {
		config, err := clientcmd.NewNonInteractiveClientConfig(*file, name, nil, nil).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("context %s: %w", name, err)
		}
		config.UserAgent = userAgent
		found[i] = target{name: name, config: config}
	}
	return found, nil
}
