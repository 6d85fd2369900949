package simulated

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Definitions returns the clusters of a kubeconfig by name, as client-go reads it.
func Definitions(kubeconfig string) ([]cluster.Definition, error) {
	file, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return nil, err
	}
	definitions := make([]cluster.Definition, 0, len(file.Contexts))
	for _, name := range slices.Sorted(maps.Keys(file.Contexts)) {
		config, err := clientcmd.NewNonInteractiveClientConfig(*file, name, nil, nil).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("context %s: %w", name, err)
		}
		definitions = append(definitions, cluster.Definition{Name: name, Source: "kubeconfig", Config: config})
	}
	return definitions, nil
}
