package simulated

import (
	"fmt"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Definitions returns the clusters of a fleet's kubeconfig, each of which is usable.
func Definitions(kubeconfig string) ([]cluster.Definition, error) {
	definitions, problems := cluster.LoadKubeconfig([]string{kubeconfig}, cluster.KubeconfigOptions{})
	if len(problems) > 0 {
		return nil, fmt.Errorf("load %s: %w", kubeconfig, problems[0])
	}
	return definitions, nil
}
